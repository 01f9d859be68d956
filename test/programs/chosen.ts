/** Programs that people really run, chosen for what makes packaging hard: each has a kind of file or loading of its own. */
import { esm, isGlibc, server, type TriedProgram } from './program.ts';

export const chosen: readonly TriedProgram[] = [
  {
    name: 'http-server-cli',
    title: 'http-server 14, a command that serves a folder',
    dependencies: { 'http-server': '14' },
    files: { 'cli.js': "require('http-server/bin/http-server');\n" },
    description: {
      entry: 'cli.js',
      smoke: { args: ['.', '-p', '{port}', '-a', '127.0.0.1'], ask: [{ path: '/README.md', status: 200 }] },
    },
  },
  {
    name: 'json-server-api',
    title: 'json-server 0.17, pages of its own among its files',
    dependencies: { 'json-server': '0.17' },
    files: {
      'main.js': `
const jsonServer = require('json-server');
const app = jsonServer.create();
app.use(jsonServer.defaults());
app.use(jsonServer.router({ posts: [{ id: 1, title: 'first' }] }));
app.listen(process.env.PORT);
`,
    },
    description: {
      entry: 'main.js',
      smoke: server([
        { path: '/posts/1', contains: '"title": "first"' },
        { path: '/', contains: 'JSON Server' },
      ]),
    },
  },
  {
    name: 'swagger-ui',
    title: "Fastify with @fastify/swagger-ui, static files of a package's",
    dependencies: { fastify: '5', '@fastify/swagger': '9', '@fastify/swagger-ui': '5' },
    manifest: esm,
    files: {
      'main.js': `
import Fastify from 'fastify';
import swagger from '@fastify/swagger';
import ui from '@fastify/swagger-ui';
const app = Fastify();
await app.register(swagger);
await app.register(ui, { routePrefix: '/docs' });
app.get('/a', { schema: { description: 'first' } }, async () => 'a');
await app.listen({ port: Number(process.env.PORT) });
`,
    },
    description: {
      entry: 'main.js',
      smoke: server([
        { path: '/docs/json', contains: 'first' },
        { path: '/docs/static/swagger-ui.css', contains: '.swagger-ui' },
      ]),
    },
  },
  {
    name: 'socket.io-chat',
    title: 'socket.io 4, which serves its client',
    dependencies: { 'socket.io': '4' },
    manifest: esm,
    files: {
      'main.js': `
import { createServer } from 'node:http';
import { Server } from 'socket.io';
const http = createServer();
new Server(http).on('connection', (socket) => socket.emit('hello'));
http.listen(Number(process.env.PORT));
`,
    },
    description: {
      entry: 'main.js',
      smoke: server([
        { path: '/socket.io/socket.io.min.js', contains: 'Socket.IO v4' },
        { path: '/socket.io/?EIO=4&transport=polling', contains: '"upgrades":["websocket"]' },
      ]),
    },
  },
  {
    name: 'apollo-graphql',
    title: 'Apollo Server 5',
    dependencies: { '@apollo/server': '5', graphql: '16' },
    manifest: esm,
    files: {
      'main.js': `
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
const server = new ApolloServer({ typeDefs: 'type Query { hello: String }', resolvers: { Query: { hello: () => 'Apollo' } } });
await startStandaloneServer(server, { listen: { port: Number(process.env.PORT) } });
`,
    },
    description: {
      entry: 'main.js',
      smoke: server([
        {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"query":"{ hello }"}',
          contains: '"hello":"Apollo"',
        },
      ]),
    },
  },
  {
    name: 'express-views',
    title: 'Express 4 with ejs and pug, sessions, helmet, compression',
    dependencies: {
      express: '4',
      ejs: '3',
      pug: '3',
      helmet: '8',
      morgan: '1',
      'express-session': '1',
      compression: '1',
    },
    files: {
      'main.js': `
const express = require('express');
const app = express();
app.set('views', __dirname + '/views');
app.use(require('helmet')(), require('morgan')('dev'), require('compression')());
app.use(require('express-session')({ secret: 's', resave: false, saveUninitialized: true }));
app.use(express.static(__dirname + '/public'));
app.get('/', (request, response) => response.render('a.ejs', { name: 'Kim' }));
app.get('/pug', (request, response) => response.render('b.pug', { name: 'Kim' }));
app.listen(process.env.PORT);
`,
      'views/a.ejs': '<%- include("part") %> <%= name %>',
      'views/part.ejs': 'Hello',
      'views/b.pug': 'extends layout\nblock content\n  p Hello #{name}\n',
      'views/layout.pug': 'html\n  body\n    block content\n',
      'public/a.css': '.a {}',
    },
    description: {
      entry: 'main.js',
      smoke: server([
        { content: 'Hello Kim' },
        { path: '/pug', content: '<html><body><p>Hello Kim</p></body></html>' },
        { path: '/a.css', content: '.a {}' },
      ]),
    },
  },
  {
    name: 'tsc-cli',
    title: 'tsc, the compiler of TypeScript 5',
    dependencies: { typescript: '5.9.3' },
    files: { 'cli.js': "require('typescript/bin/tsc');\n" },
    description: { entry: 'cli.js', smoke: [{ args: ['--version'], prints: ['Version 5.9.3'] }] },
  },
  {
    name: 'terser-cli',
    title: 'terser, a command',
    dependencies: { terser: '5' },
    files: { 'cli.js': "require('terser/bin/terser');\n" },
    description: { entry: 'cli.js', smoke: { args: ['--version'], prints: ['terser 5'] } },
  },
  {
    name: 'sass-cli',
    title: 'sass, compiled from Dart',
    dependencies: { sass: '1' },
    files: {
      'cli.js': "console.log(require('sass').compileString('a { b { c: 1 + 2 } }', { style: 'compressed' }).css);\n",
    },
    description: { entry: 'cli.js', smoke: { prints: ['a b{c:3}'] } },
  },
  {
    name: 'figlet-cli',
    title: 'figlet, chalk 5 and commander 14: fonts are files of a package',
    dependencies: { figlet: '1', chalk: '5', commander: '14' },
    manifest: esm,
    files: {
      'cli.js': `
import figlet from 'figlet';
import chalk from 'chalk';
import { program } from 'commander';
program.argument('<name>').parse();
console.log(chalk.green('Hello'), figlet.textSync(program.args[0], { font: 'Banner' }));
`,
    },
    description: { entry: 'cli.js', smoke: { args: ['Hi'], prints: ['#     # #'] } },
  },
  {
    name: 'pino-transport',
    title: 'pino 9 with pino-pretty in a worker thread of its own',
    dependencies: { pino: '9', 'pino-pretty': '13' },
    files: {
      'main.js': `
const log = require('pino')({ transport: { target: 'pino-pretty', options: { colorize: false } } });
log.info('pretty words');
`,
    },
    description: { entry: 'main.js', smoke: { prints: ['INFO', 'pretty words'] } },
  },
  {
    name: 'winston-files',
    title: 'winston 3 with files that rotate',
    dependencies: { winston: '3', 'winston-daily-rotate-file': '5' },
    files: {
      'main.js': `
const winston = require('winston');
require('winston-daily-rotate-file');
const rotated = new winston.transports.DailyRotateFile({ filename: 'app.log', dirname: 'logs' });
const log = winston.createLogger({ transports: [new winston.transports.Console(), rotated] });
rotated.on('finish', () => console.log('closed', require('fs').readdirSync('logs').length > 0));
log.info('words');
log.end();
`,
    },
    description: { entry: 'main.js', smoke: { prints: ['"message":"words"', 'closed true'] } },
  },
  {
    name: 'knex-pg',
    title: 'knex 3 and pg 8, drivers that are loaded by a computed name',
    dependencies: { knex: '3', pg: '8' },
    files: {
      'main.js': `
const knex = require('knex')({ client: 'pg', connection: 'postgres://127.0.0.1:9/none' });
console.log(knex('notes').where({ id: 7 }).toString());
knex.raw('select 1').catch((error) => console.log('code', error.code)).finally(() => knex.destroy());
`,
    },
    description: {
      entry: 'main.js',
      smoke: { prints: ['select * from "notes" where "id" = 7', 'code ECONNREFUSED'] },
    },
  },
  {
    name: 'mongoose-model',
    title: 'mongoose 8',
    dependencies: { mongoose: '8' },
    manifest: esm,
    files: {
      'main.js': `
import mongoose from 'mongoose';
const Note = mongoose.model('Note', new mongoose.Schema({ text: { type: String, required: true } }));
console.log(String(new Note({}).validateSync()));
await mongoose.connect('mongodb://127.0.0.1:9', { serverSelectionTimeoutMS: 100 }).catch((error) => console.log(error.name));
`,
    },
    description: { entry: 'main.js', smoke: { prints: ['Path `text` is required', 'MongooseServerSelectionError'] } },
  },
  {
    name: 'bullmq-queue',
    title: 'BullMQ 5 and ioredis 5',
    dependencies: { bullmq: '5', ioredis: '5' },
    files: {
      'main.js': `
const { Queue } = require('bullmq');
const queue = new Queue('a', { connection: { host: '127.0.0.1', port: 9, maxRetriesPerRequest: 0, retryStrategy: () => null } });
queue.on('error', () => undefined);
queue.add('job', {}).catch((error) => console.log('no redis:', error.message)).finally(() => process.exit());
`,
    },
    description: { entry: 'main.js', smoke: { prints: ['no redis: '] } },
  },
  {
    name: 'discord-bot',
    title: 'discord.js 14, a bot without a token',
    dependencies: { 'discord.js': '14' },
    manifest: esm,
    files: {
      'main.js': `
import { Client, EmbedBuilder, GatewayIntentBits } from 'discord.js';
console.log(new EmbedBuilder().setTitle('words').toJSON().title);
await new Client({ intents: [GatewayIntentBits.Guilds] }).login('').catch((error) => console.log(error.code));
`,
    },
    description: { entry: 'main.js', smoke: { prints: ['words', 'TokenInvalid'] } },
  },
  {
    name: 'telegraf-bot',
    title: 'telegraf 4, a bot that is asked by a webhook',
    dependencies: { telegraf: '4' },
    files: {
      'main.js': `
const { Telegraf } = require('telegraf');
const bot = new Telegraf('1:x');
bot.botInfo = { id: 1, is_bot: true, username: 'b', first_name: 'b' };
bot.on('message', (context) => console.log('got', context.message.text));
require('node:http').createServer(bot.webhookCallback('/hook')).listen(process.env.PORT);
`,
    },
    description: {
      entry: 'main.js',
      smoke: {
        ...server([
          {
            method: 'POST',
            path: '/hook',
            headers: { 'content-type': 'application/json' },
            body: '{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},"text":"words"}}',
          },
        ]),
        prints: ['got words'],
      },
    },
  },
  {
    name: 'pdfkit-document',
    title: 'pdfkit, fonts read beside its code',
    dependencies: { pdfkit: '0.17' },
    files: {
      'main.js': `
const PDFDocument = require('pdfkit');
const document = new PDFDocument();
const parts = [];
document.on('data', (part) => parts.push(part)).on('end', () => console.log(Buffer.concat(parts).toString('latin1').slice(0, 5)));
document.font('Times-Roman').text('words').end();
`,
    },
    description: { entry: 'main.js', smoke: { prints: ['%PDF-'] } },
  },
  {
    name: 'mailer',
    title: 'nodemailer 7, nunjucks 3, handlebars 4, marked 16: templates as files',
    dependencies: { nodemailer: '7', nunjucks: '3', handlebars: '4', marked: '16' },
    manifest: esm,
    files: {
      'main.js': `
import path from 'node:path';
import handlebars from 'handlebars';
import { marked } from 'marked';
import nodemailer from 'nodemailer';
import nunjucks from 'nunjucks';
nunjucks.configure(path.join(import.meta.dirname, 'mails'));
const html = nunjucks.render('a.html', { name: handlebars.compile('{{a}}')({ a: 'Kim' }), more: marked.parse('**b**') });
const mailer = nodemailer.createTransport({ streamTransport: true, buffer: true });
const { message } = await mailer.sendMail({ from: 'a@example.net', to: 'b@example.net', html });
console.log(String(message));
`,
      'mails/a.html': '<p>Hello {{ name }}</p>{{ more }}',
    },
    description: { entry: 'main.js', smoke: { prints: ['<p>Hello Kim</p>', 'To: b@example.net'] } },
  },
  {
    name: 'scraper',
    title: 'axios 1, cheerio 1 and jsdom 26',
    dependencies: { axios: '1', cheerio: '1', jsdom: '26' },
    manifest: esm,
    files: {
      'main.js': `
import { createServer } from 'node:http';
import axios from 'axios';
import { load } from 'cheerio';
import { JSDOM } from 'jsdom';
const server = createServer((_, response) => response.end('<h1>Title</h1><script>document.title = "run"</script>')).listen(0);
const { data } = await axios.get('http://127.0.0.1:' + server.address().port);
server.close();
console.log(load(data)('h1').text(), new JSDOM(data, { runScripts: 'dangerously' }).window.document.title);
`,
    },
    description: { entry: 'main.js', smoke: { prints: ['Title run'] } },
  },
  {
    name: 'i18next-files',
    title: 'i18next 25, languages as files',
    dependencies: { i18next: '25', 'i18next-fs-backend': '2' },
    manifest: esm,
    files: {
      'main.js': `
import path from 'node:path';
import i18next from 'i18next';
import Backend from 'i18next-fs-backend';
const loadPath = path.join(import.meta.dirname, 'languages', '{{lng}}.json');
await i18next.use(Backend).init({ lng: 'fr', ns: ['translation'], backend: { loadPath } });
console.log(i18next.t('hello'));
`,
      'languages/fr.json': '{ "hello": "bonjour" }',
    },
    description: { entry: 'main.js', smoke: { prints: ['bonjour'] } },
  },
  {
    name: 'trpc-server',
    title: 'tRPC 11 and zod 4, TypeScript',
    dependencies: { '@trpc/server': '11', zod: '4' },
    manifest: esm,
    files: {
      'tsconfig.json': '{}',
      'src/main.ts': `
import { createHTTPServer } from '@trpc/server/adapters/standalone';
import { initTRPC, TRPCError, AnyRouter } from '@trpc/server';
import { z } from 'zod';
const t = initTRPC.create();
const router = t.router({
  hello: t.procedure.input(z.string().min(1)).query(({ input }: { input: string }) => {
    if (input === 'x') throw new TRPCError({ code: 'NOT_FOUND' });
    return 'Hello ' + input;
  }),
});
const known: AnyRouter = router;
createHTTPServer({ router: known }).listen(Number(process.env['PORT']));
`,
    },
    description: { entry: 'src/main.ts', smoke: server([{ path: '/hello?input=%22Kim%22', contains: 'Hello Kim' }]) },
  },
  {
    name: 'piscina-pool',
    title: 'piscina 5, a pool of worker threads',
    dependencies: { piscina: '5' },
    manifest: esm,
    files: {
      'main.js': `
import { Piscina } from 'piscina';
const pool = new Piscina({ filename: new URL('./work.js', import.meta.url).href, maxThreads: 2 });
console.log('sum', (await Promise.all([1, 2, 3].map((n) => pool.run(n)))).reduce((a, b) => a + b));
await pool.destroy();
`,
      'work.js': 'export default (n) => n * n;\n',
    },
    description: { entry: 'main.js', smoke: { prints: ['sum 14'] } },
  },
  {
    name: 'hapi-server',
    title: 'hapi 21',
    dependencies: { '@hapi/hapi': '21' },
    files: {
      'main.js': `
const Hapi = require('@hapi/hapi');
const server = Hapi.server({ port: process.env.PORT, host: '127.0.0.1' });
server.route({ method: 'GET', path: '/', handler: () => 'Hello hapi' });
server.start();
`,
    },
    description: { entry: 'main.js', smoke: server([{ content: 'Hello hapi' }]) },
  },
  {
    name: 'koa-static',
    title: 'Koa 3 with koa-static',
    dependencies: { koa: '3', 'koa-static': '5' },
    files: {
      'main.js': `
const Koa = require('koa');
new Koa().use(require('koa-static')(__dirname + '/public')).listen(process.env.PORT);
`,
      'public/index.html': '<p>static</p>',
    },
    description: { entry: 'main.js', smoke: server([{ content: '<p>static</p>' }]) },
  },
  {
    name: 'mocha-cli',
    title: 'mocha 11 with tests of its own as files',
    dependencies: { mocha: '11' },
    files: {
      'cli.js': "process.argv.push(__dirname + '/test/a.test.cjs');\nrequire('mocha/bin/_mocha');\n",
      'test/a.test.cjs': "describe('a', () => it('works', () => undefined));\n",
    },
    description: {
      entry: 'cli.js',
      assets: ['test'],
      smoke: { prints: ['1 passing'] },
    },
  },
  {
    name: 'sharp-images',
    title: 'sharp 0.34, a native addon with a library beside it',
    dependencies: { sharp: '0.34' },
    files: {
      'main.js': `
const sharp = require('sharp');
const create = { width: 4, height: 2, channels: 3, background: 'red' };
sharp({ create }).png().toBuffer({ resolveWithObject: true }).then(({ info }) => console.log(info.format, info.width, info.height));
`,
    },
    description: { entry: 'main.js', smoke: { prints: ['png 4 2'] } },
    fits: (target) => isGlibc(target) && target.architecture.name === 'x86_64',
    refusal: /sharp.* native addon/,
  },
];

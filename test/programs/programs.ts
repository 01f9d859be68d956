/**
 * Programs as other people write them, on packages that other people wrote: their files, what they depend on, and how they are
 * tried. `npm run programs` packages, verifies, starts and asks each.
 */
import { chosen } from './chosen.ts';
import { examples } from './examples.ts';
import { esm, isGlibc, server, type TriedProgram } from './program.ts';

const named: readonly TriedProgram[] = [
  {
    name: 'express-hello',
    title: 'Express 5',
    dependencies: { express: '5.1.0' },
    files: {
      'main.js': `
const express = require('express');
const app = express();
app.use(express.json());
app.get('/', (request, response) => response.send('Hello Express'));
app.post('/echo/:name', (request, response) => response.json({ name: request.params.name, ...request.body }));
app.listen(process.env.PORT);
`,
    },
    description: {
      entry: 'main.js',
      smoke: server([
        { content: 'Hello Express' },
        {
          method: 'POST',
          path: '/echo/kim',
          headers: { 'content-type': 'application/json' },
          body: '{"a":1}',
          content: '{"name":"kim","a":1}',
        },
      ]),
    },
  },
  {
    name: 'fastify-hello',
    title: 'Fastify 5',
    dependencies: { fastify: '5.6.1' },
    manifest: esm,
    files: {
      'main.js': `
import Fastify from 'fastify';
const app = Fastify({ logger: true });
const schema = { response: { 200: { type: 'object', properties: { hello: { type: 'string' } } } } };
app.get('/', { schema }, async () => ({ hello: 'Fastify' }));
await app.listen({ port: Number(process.env.PORT) });
`,
    },
    description: { entry: 'main.js', smoke: server([{ content: '{"hello":"Fastify"}' }]) },
  },
  {
    name: 'hono-hello',
    title: 'Hono, TypeScript, a file as asset',
    dependencies: { hono: '4.13.19', '@hono/node-server': '1.19.5' },
    manifest: esm,
    files: {
      'src/main.ts': `
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const greeting: string = readFileSync(path.join(import.meta.dirname, 'greeting.txt'), 'utf8');
const app = new Hono();
app.get('/', (c) => c.text(greeting));
serve({ fetch: app.fetch, port: Number(process.env['PORT']) });
`,
      'src/greeting.txt': 'Hello Hono',
    },
    description: { entry: 'src/main.ts', smoke: server([{ content: 'Hello Hono' }]) },
  },
  {
    name: 'koa-hello',
    title: 'Koa 3',
    dependencies: { koa: '3.0.1' },
    files: {
      'main.cjs': `
const Koa = require('koa');
const app = new Koa();
app.use(async (context) => { context.body = 'Hello Koa'; });
app.listen(process.env.PORT);
`,
    },
    description: { entry: 'main.cjs', smoke: server([{ content: 'Hello Koa' }]) },
  },
  {
    name: 'nest-hello',
    title: 'NestJS 11, TypeScript with decorators and injection',
    dependencies: {
      '@nestjs/common': '11.1.6',
      '@nestjs/core': '11.1.6',
      '@nestjs/platform-express': '11.1.6',
      'reflect-metadata': '0.2.2',
      rxjs: '7.8.2',
    },
    files: {
      'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }',
      'src/main.ts': `
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { App } from './app';

const app = await NestFactory.create(App);
await app.listen(Number(process.env['PORT']));
`,
      'src/app.ts': `
import { Controller, Get, Module } from '@nestjs/common';
import { Greeter, type Greeting } from './greeter';

@Controller()
class Hello {
  constructor(private readonly greeter: Greeter) {}

  @Get()
  hello(): Greeting {
    return this.greeter.greeting;
  }
}

@Module({ controllers: [Hello], providers: [Greeter] })
export class App {}
`,
      'src/greeter.ts': `
import { Injectable } from '@nestjs/common';
export type Greeting = string;

@Injectable()
export class Greeter {
  readonly greeting: Greeting = 'Hello Nest';
}
`,
    },
    manifest: { ...esm, devDependencies: { typescript: '5.9.3' } },
    description: { entry: 'src/main.ts', smoke: server([{ content: 'Hello Nest' }]) },
  },
  {
    name: 'yargs-cli',
    title: 'yargs 18 and ora 9, a command line',
    dependencies: { yargs: '18.0.0', ora: '9.0.0' },
    manifest: { ...esm, bin: './cli.js' },
    files: {
      'cli.js': `#!/usr/bin/env node
import ora from 'ora';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
const { name } = yargs(hideBin(process.argv)).option('name', { type: 'string', demandOption: true }).parseSync();
ora('greeting').start().succeed('done');
console.log('Hello ' + name);
`,
    },
    description: {
      smoke: [
        { args: ['--name', 'Kim'], prints: ['Hello Kim', 'done'] },
        { args: [], prints: ['Missing required argument: name'], exitCode: 1 },
      ],
    },
  },
  {
    name: 'semver-cli',
    title: 'semver, a command line',
    dependencies: { semver: '7.7.3' },
    files: { 'cli.js': "require('semver/bin/semver.js');\n" },
    description: { entry: 'cli.js', smoke: { args: ['-r', '>=2', '1.0.0', '2.1.0'], prints: ['2.1.0'] } },
  },
  {
    name: 'prettier-cli',
    title: 'prettier, a command line',
    dependencies: { prettier: '3.6.2' },
    manifest: esm,
    files: {
      'cli.js': `
import { readFileSync } from 'node:fs';
import prettier from 'prettier';
const text = await prettier.format('a  =  {b:1}', { parser: 'babel' });
process.stdout.write(text + await prettier.format('# a\\n* b', { parser: 'markdown' }));
`,
    },
    description: { entry: 'cli.js', smoke: { prints: ['a = { b: 1 };', '- b'] } },
  },
  {
    name: 'eslint-cli',
    title: 'ESLint, a command line',
    dependencies: { eslint: '9.37.0' },
    manifest: esm,
    files: {
      'cli.js': `
import { Linter } from 'eslint';
const messages = new Linter().verify('var a = 1;', [{ rules: { 'no-var': 2, 'no-unused-vars': 2 } }]);
console.log(messages.map((message) => message.ruleId).join());
`,
    },
    description: { entry: 'cli.js', smoke: { prints: ['no-var,no-unused-vars'] } },
  },
  {
    name: 'ws-echo',
    title: 'ws, an echo that asks itself',
    dependencies: { ws: '8.23.0' },
    manifest: esm,
    files: {
      'main.js': `
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
const server = new WebSocketServer({ port: 0 });
server.on('connection', (socket) => socket.on('message', (data) => socket.send('echo ' + data)));
await once(server, 'listening');
const client = new WebSocket('ws://127.0.0.1:' + server.address().port);
await once(client, 'open');
client.send('hello');
console.log(String((await once(client, 'message'))[0]));
client.close();
server.close();
`,
    },
    description: { entry: 'main.js', smoke: { prints: ['echo hello'] } },
  },
  {
    name: 'bcrypt-addon',
    title: 'bcrypt 6, a native addon with a file for each target',
    dependencies: { bcrypt: '6.0.0' },
    files: {
      'main.js': `
const bcrypt = require('bcrypt');
const hash = bcrypt.hashSync('secret', 4);
bcrypt.compare('secret', hash).then((same) => console.log('same', same, bcrypt.compareSync('other', hash)));
`,
    },
    description: { entry: 'main.js', smoke: { prints: ['same true false'] } },
    fits: (target) => isGlibc(target) && target.architecture.name !== 'i686',
    refusal: /bcrypt 6\.0\.0 has the native addon .*: (a static executable loads no native addons|it is for )/,
  },
  {
    name: 'sqlite-addon',
    title: 'better-sqlite3, a native addon',
    dependencies: { 'better-sqlite3': '12.4.1' },
    files: {
      'main.js': `
const Database = require('better-sqlite3');
const base = new Database(':memory:');
base.exec('create table t (n); insert into t values (41)');
console.log('sum', base.prepare('select sum(n) + 1 as s from t').get().s);
`,
    },
    description: { entry: 'main.js', smoke: { prints: ['sum 42'] } },
    only: ['x86_64-unknown-linux-gnu'],
  },
  {
    name: 'sqlite-builtin',
    title: 'node:sqlite',
    dependencies: {},
    manifest: esm,
    files: {
      'main.js': `
import { DatabaseSync } from 'node:sqlite';
const base = new DatabaseSync(':memory:');
base.exec('create table t (n); insert into t values (41)');
console.log('sum', base.prepare('select sum(n) + 1 as s from t').get().s);
`,
    },
    description: { entry: 'main.js', smoke: { prints: ['sum 42'] } },
  },
  {
    name: 'threads',
    title: 'Worker threads and WebAssembly',
    dependencies: {},
    manifest: esm,
    files: {
      'main.ts': `
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
const { instance } = await WebAssembly.instantiate(readFileSync(new URL('./add.wasm', import.meta.url)));
const add = instance.exports['add'] as (a: number, b: number) => number;
const workers = [1, 2, 3].map((n) => new Worker(new URL('./square.ts', import.meta.url), { workerData: n }));
const squares = await Promise.all(workers.map(async (worker) => Number((await once(worker, 'message'))[0])));
console.log('sum', squares.reduce(add));
`,
      'square.ts': `
import { parentPort, workerData } from 'node:worker_threads';
import numbers from './numbers.json' with { type: 'json' };
const n: number = workerData;
parentPort?.postMessage(n * n * numbers.one);
`,
      'numbers.json': '{ "one": 1 }',
    },
    prepare: [
      [
        'node',
        '-e',
        "require('fs').writeFileSync('add.wasm', Buffer.from('AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=', 'base64'))",
      ],
    ],
    description: { entry: 'main.ts', smoke: { prints: ['sum 14'] } },
  },
  {
    name: 'forks',
    title: 'child_process.fork and cluster',
    dependencies: {},
    files: {
      'main.js': `
const { fork } = require('node:child_process');
const cluster = require('node:cluster');
const path = require('node:path');
if (cluster.isWorker) process.send('cluster'), process.disconnect();
else {
  const child = fork(path.join(__dirname, 'child.js'), ['--one']);
  child.on('message', (text) => {
    console.log('from', text);
    cluster.fork().on('message', (more) => console.log('from', more));
  });
}
`,
      'child.js': "process.send('fork ' + process.argv[2]);\nprocess.disconnect();\n",
    },
    startsItself: true,
    description: { entry: 'main.js', smoke: { prints: ['from fork --one', 'from cluster'] } },
  },
  {
    name: 'vite-front',
    title: "Vite's output as assets, served by Hono, opened in Chromium",
    dependencies: { hono: '4.13.19', '@hono/node-server': '1.19.5' },
    manifest: { ...esm, devDependencies: { vite: '7.1.9' } },
    files: {
      'web/index.html':
        '<!doctype html><title>t</title><div id="app"></div><script type="module" src="/main.ts"></script>',
      'web/main.ts':
        "import './style.css';\nconst text: string = 'built by ' + 'Vite';\ndocument.querySelector('#app')!.textContent = text;\n",
      'web/style.css': '#app { color: red; }',
      'server.js': `
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const app = new Hono();
app.get('*', async (c) => {
  const name = c.req.path === '/' ? '/index.html' : c.req.path;
  const file = await readFile(path.join(import.meta.dirname, 'dist', path.normalize(name))).catch(() => null);
  if (file === null) return c.notFound();
  return c.body(file, 200, { 'content-type': types[path.extname(name)] ?? 'application/octet-stream' });
});
serve({ fetch: app.fetch, port: Number(process.env.PORT) });
`,
    },
    prepare: [['npx', 'vite', 'build', 'web', '--outDir', '../dist', '--emptyOutDir']],
    description: { entry: 'server.js', smoke: { ...server([{ contains: '<div id="app">' }]), module: 'browser.mjs' } },
  },
  {
    name: 'undici-bot',
    title: 'A bot that polls with undici until it is stopped',
    dependencies: { undici: '7.16.0' },
    manifest: esm,
    files: {
      'main.js': `
import { createServer } from 'node:http';
import { Agent, request } from 'undici';
// The service that it polls.
const service = createServer((_, response) => response.end('{"update":7}')).listen(0, '127.0.0.1');
const dispatcher = new Agent({ keepAliveTimeout: 1000 });
const timer = setInterval(async () => {
  const { body } = await request('http://127.0.0.1:' + service.address().port, { dispatcher });
  console.log('update ' + (await body.json()).update);
}, 100);
process.once('SIGTERM', async () => {
  clearInterval(timer);
  await dispatcher.close();
  service.close(() => console.log('stopped'));
});
`,
    },
    description: { entry: 'main.js', smoke: { ready: '^update 7$', prints: ['stopped'], exitCode: 0 } },
  },
];

export const programs: readonly TriedProgram[] = [...named, ...chosen, ...examples];

/** `serve({ tls, http3 })` on the committed runtime, asked by a client of HTTP/3 and by curl. */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { makeSelfSigned } from '../../src/tls/self-signed.ts';
import { Http3Parts, lack } from './start-http3.ts';

const run = promisify(execFile);
if (lack !== '') console.error(`NOT TESTED: HTTP/3: ${lack}`);

const SERVER = `
async function* pieces() {
  for (let at = 0; at < 40; at++) yield 'x'.repeat(10_000);
}
const done = [];
const server = serve({
  port: 0,
  hostname: '127.0.0.1',
  tls: { selfSigned: ['localhost', '*.example.test'] },
  http3: true,
  limits: { maxBodySize: 200_000, handlerMs: 3000, headerMs: 30_000 },
  done: (call, { status, isAborted }) => void done.push([call.version, call.path, status, isAborted]),
  routes: {
    '/version': (call) => reply(200, {}, call.version + ' ' + call.head + ' ' + call.header('host')),
    '/length': (call) => reply(200, {}, String(call.body.length)),
    '/count': { POST: async (call) => reply(200, {}, String((await call.body.bytes()).length)) },
    '/mirror': { POST: (call) => stream(200, {}, call.body.stream()) },
    '/pieces': () => stream(200, {}, pieces()),
    '/nothing': () => reply(304, { etag: '"1"' }),
    '/hints': (call) => {
      call.inform(103, { link: '</a.css>; rel=preload' });
      return reply(200, {}, 'hinted');
    },
    '/take': (call) => call.takeOver({}, () => {}),
    '/never': () => new Promise(() => {}),
    '/fields': (call) => reply(200, {}, [call.header('cookie'), call.header('x-a')].join('|')),
    '/wait': async () => {
      console.log('waiting');
      await new Promise((resolve) => process.once('SIGTERM', () => setTimeout(resolve, 300)));
      return reply(200, {}, 'waited');
    },
    '/done': () => reply(200, {}, JSON.stringify(done)),
    '/files/*': await files(import.meta.dirname),
  },
  fetch: (request) => new Response(request.method + ' ' + request.url),
});
await server.ready;
console.log('ready :' + server.port + ' (');
process.on('SIGTERM', () => server.stop().then(() => process.exit(0)));
`;

describe.skipIf(lack !== '')('serve({ tls, http3 })', { timeout: 120_000 }, () => {
  let parts: Http3Parts;
  beforeAll(() => {
    parts = new Http3Parts('x86_64-unknown-linux-musl');
  }, 300_000);
  afterAll(() => parts.close());

  test('calls the same handlers as HTTP/1.1 and 2, with content both ways', async () => {
    const { port } = await parts.serve(SERVER);
    const { subject, answers } = await parts.ask(port, [
      { path: '/version' },
      { path: '/any?q=1' },
      { path: '/length' },
      { path: '/length', method: 'POST', content: 10, fields: { 'content-length': '10' } },
      { path: '/length', method: 'POST', content: 10 },
      { path: '/count', method: 'POST', content: 150_000 },
      { path: '/mirror', method: 'POST', content: 150_000 },
      { path: '/pieces' },
      { path: '/pieces', method: 'HEAD' },
      { path: '/nothing' },
      { path: '/fields', fields: { cookie: 'a=1', 'x-a': 'b' } },
    ]);
    expect(subject).toBe('CN=localhost');
    expect(answers.map(({ status, length, text, error }) => [status, length, text.slice(0, 60), error ?? ''])).toEqual([
      [200, 16, '3 null localhost', ''],
      [200, 29, `GET https://localhost/any?q=1`, ''],
      [200, 1, '0', ''],
      [200, 2, '10', ''],
      [200, 4, 'null', ''],
      [200, 6, '150000', ''],
      [200, 150_000, 'x'.repeat(60), ''],
      [200, 400_000, 'x'.repeat(60), ''],
      [200, 0, '', ''],
      [304, 0, '', ''],
      [200, 5, 'a=1|b', ''],
    ]);
  });

  test('answers ranges of files, and interim answers before the last one', async () => {
    const { port } = await parts.serve(SERVER);
    const { answers } = await parts.ask(port, [
      { path: '/files/out/index.mjs', fields: { range: 'bytes=0-9' } },
      { path: '/hints' },
    ]);
    expect(answers[0]).toMatchObject({ status: 206, length: 10 });
    expect(answers[0]?.fields['content-range']).toMatch(/^bytes 0-9\//);
    expect(answers[1]).toMatchObject({ text: 'hinted', interim: [{ link: '</a.css>; rel=preload' }] });
  });

  test('refuses what is beyond its limits, and no connection can be taken over', async () => {
    const { port } = await parts.serve(SERVER);
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, at) => [`x-${at}`, 'a']));
    const { answers } = await parts.ask(port, [
      { path: '/version', fields: { 'x-large': 'a'.repeat(60_000) } },
      { path: '/version', fields: many },
      { path: '/count', method: 'POST', content: 300_000 },
      { path: '/never' },
      { path: '/take' },
      { path: '/done' },
    ]);
    expect(answers.map(({ status }) => status)).toEqual([431, 431, 413, 503, 500, 200]);
  });

  test('is announced by HTTP/1.1 and 2', async () => {
    const { port } = await parts.serve(SERVER);
    for (const version of ['--http1.1', '--http2']) {
      const { stdout } = await run('curl', ['-skI', version, `https://127.0.0.1:${port}/version`]);
      expect(stdout.toLowerCase()).toContain(`alt-svc: h3=":${port}"; ma=86400`);
    }
  });

  test('a client of a name that only a wildcard has gets its certificate, from the first time on', async () => {
    const { port } = await parts.serve(
      SERVER.replace("{ selfSigned: ['localhost', '*.example.test'] }", 'twoCertificates').replace(
        'const server',
        `const pairs = JSON.parse(process.env.PAIRS);
const twoCertificates = { ...pairs[0], certificates: [pairs[1]] };
const server`,
      ),
      { PAIRS: twoPairs() },
    );
    // It is sent away before it has the wrong certificate, and begins again by itself.
    expect((await parts.ask(port, [{ path: '/version' }], 'a.example.test')).subject).toBe('CN=*.example.test');
    expect((await parts.ask(port, [{ path: '/version' }], 'localhost')).subject).toBe('CN=localhost');
  });

  test('uses certificates of files that have changed', async () => {
    const [one, other] = [makeSelfSigned(['one.test']), makeSelfSigned(['other.test'])];
    const at = (name: string) => path.join(parts.folder, name);
    const put = (pair: typeof one) => {
      for (const name of ['cert', 'key'] as const) {
        writeFileSync(at(`${name}.new`), pair[name]);
        renameSync(at(`${name}.new`), at(name));
      }
    };
    put(one);
    const files = JSON.stringify({ certFile: at('cert'), keyFile: at('key'), hosts: ['localhost'] });
    const { port } = await parts.serve(SERVER.replace(/tls: .*/, `tls: ${files},`));
    const subject = async () => (await parts.ask(port, [{ path: '/version' }])).subject;
    expect(await subject()).toBe('CN=one.test');
    put(other);
    await vi.waitFor(async () => expect(await subject()).toBe('CN=other.test'), { timeout: 60_000, interval: 1000 });
  });

  test('a drain answers what is under way', async () => {
    const server = await parts.serve(SERVER);
    const asked = parts.ask(server.port, [{ path: '/wait' }]);
    await server.printed('waiting');
    server.child.kill('SIGTERM');
    expect((await asked).answers).toMatchObject([{ status: 200, text: 'waited' }]);
    expect(await server.ended).toMatchObject({ code: 0 });
  });

  test('does not start if somebody else has the UDP port', async () => {
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const { port } = taken.address();
    const options = `{ port: ${port}, hostname: '127.0.0.1', tls: { selfSigned: true }, http3: true, fetch: () => new Response() }`;
    const server = await parts.serve(`serve(${options}).ready.catch((e) => console.log(e.message));`);
    expect(server.stdout).toBe(`HTTP/3 must have the UDP port ${port} of 127.0.0.1 (EADDRINUSE)\n`);
  });

  test('without QUIC, it does not start and says what is missing', async () => {
    const line = `serve({ port: 0, tls: { selfSigned: true }, http3: true, fetch: () => new Response() }).ready.catch((e) => console.log(e.message));`;
    const server = await parts.serve(line, {}, []);
    expect(server.stdout).toBe(
      'http3 needs QUIC, which this Node.js has only if it is started with --experimental-quic\n',
    );
  });
});

function twoPairs(): string {
  return JSON.stringify([makeSelfSigned(['localhost']), makeSelfSigned(['*.example.test'])]);
}

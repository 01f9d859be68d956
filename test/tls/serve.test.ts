/** `serve({ tls })`, asked by curl, OpenSSL's program and Node. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import type { App, Options, Server } from '../../src/app/app.ts';
import { serve } from '../../src/app/serve.ts';
import { events } from '../../src/events/events.ts';
import { reply } from '../../src/http/made-reply.ts';
import { makeSelfSigned } from '../../src/tls/self-signed.ts';
import { areInstalled } from '../installed.ts';

const run = promisify(execFile);

async function start(options: App & Options): Promise<Server> {
  const server = serve({ port: 0, hostname: '127.0.0.1', ...options });
  onTestFinished(() => server.stop(true));
  return server.ready;
}

async function curl(...args: string[]): Promise<string> {
  return (await run('curl', ['-sS', '-m', '10', ...args])).stdout;
}

async function handshake(port: number, options: object = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
}

async function nameSeen(port: number, servername: string | undefined): Promise<string> {
  const socket = await handshake(port, servername === undefined ? {} : { servername });
  return String(socket.getPeerCertificate().subject.CN);
}

const version: App = { handle: (call) => reply(200, {}, `${call.version} ${call.header('host')?.split(':')[0]}`) };

const isTested = areInstalled('serve({ tls })', { curl: 'curl', openssl: 'openssl' });
beforeEach((context) => {
  if (!isTested) context.skip();
});

describe('curl', () => {
  test('gets answers by HTTP/2 and HTTP/1.1 from a certificate that it trusts', async () => {
    const pair = makeSelfSigned();
    const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-tls-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const ca = path.join(folder, 'ca.pem');
    writeFileSync(ca, pair.cert);
    const { port, url } = await start({ ...version, tls: pair });
    expect(url.protocol).toBe('https:');
    const there = `https://localhost:${port}/`;
    const resolve = ['--cacert', ca, '--resolve', `localhost:${port}:127.0.0.1`, there];
    expect(await curl(...resolve)).toBe('2 localhost');
    expect(await curl('--http1.1', ...resolve)).toBe('1.1 localhost');
    expect(await curl('--tlsv1.2', '--tls-max', '1.2', ...resolve)).toBe('2 localhost');
    await expect(curl('--tls-max', '1.1', '--ciphers', 'DEFAULT@SECLEVEL=0', ...resolve)).rejects.toThrow(/./);
  });

  test('is told that the port speaks HTTPS', async () => {
    const { port } = await start({ ...version, tls: { selfSigned: true } });
    expect(await curl(`http://127.0.0.1:${port}/`)).toContain('400 Bad Request: this port speaks HTTPS');
  });

  test('speaks HTTP/2 without TLS from prior knowledge, if that is wanted', async () => {
    const { port } = await start({ ...version, http2: true });
    expect(await curl('--http2-prior-knowledge', `http://127.0.0.1:${port}/`)).toBe('2 127.0.0.1');
    expect(await curl(`http://127.0.0.1:${port}/`)).toBe('1.1 127.0.0.1');
  });

  test('sends content, and gets streams, by HTTP/2', async () => {
    async function* pieces() {
      for (let at = 0; at < 100; at++) yield 'x'.repeat(10_000);
    }
    const { port } = await start({
      tls: { selfSigned: true },
      routes: { '/echo': { POST: async (call) => reply(200, {}, await call.body.text()) } },
      fetch: async (request) => new Response(pieces() as never, { headers: { 'x-url': request.url } }),
    });
    const there = `https://127.0.0.1:${port}`;
    expect(await curl('-k', '--data', 'hello', `${there}/echo`)).toBe('hello');
    expect((await curl('-k', `${there}/stream`)).length).toBe(1_000_000);
    expect(await curl('-k', '-I', `${there}/stream`)).toContain(`x-url: ${there}/stream`);
    expect(await curl('-k', '--data', 'hello', '-H', 'Expect: 100-continue', `${there}/echo`)).toBe('hello');
  });
});

test('each server name gets its certificate, wildcards one label, others the first', async () => {
  const certificates = [makeSelfSigned(['a.test']), makeSelfSigned(['*.b.test']), makeSelfSigned(['c.b.test'])];
  const { port } = await start({ ...version, tls: { certificates } });
  expect(await nameSeen(port, 'a.test')).toBe('a.test');
  expect(await nameSeen(port, 'A.test')).toBe('a.test');
  expect(await nameSeen(port, 'x.b.test')).toBe('*.b.test');
  expect(await nameSeen(port, 'c.b.test')).toBe('c.b.test');
  expect(await nameSeen(port, 'x.y.b.test')).toBe('a.test');
  expect(await nameSeen(port, 'other.test')).toBe('a.test');
  expect(await nameSeen(port, undefined)).toBe('a.test');
});

test('a session is resumed by its ticket, with TLS 1.2 and 1.3, but not with another certificate', async () => {
  const certificates = [makeSelfSigned(['a.test']), makeSelfSigned(['b.test'])];
  const { port } = await start({ ...version, tls: { certificates } });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const first = connect({ port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false, maxVersion });
    const session = await new Promise<Buffer>((resolve) => {
      first.once('session', resolve);
      first.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    });
    first.destroy();
    expect((await handshake(port, { servername: 'a.test', maxVersion, session })).isSessionReused()).toBe(true);
    expect((await handshake(port, { servername: 'b.test', maxVersion, session })).isSessionReused()).toBe(false);
  }
});

test('a client that wants another protocol is refused', async () => {
  const { port } = await start({ ...version, tls: { selfSigned: true } });
  await expect(handshake(port, { ALPNProtocols: ['foo'] })).rejects.toThrow(/no application protocol/);
  const { port: plain } = await start({ ...version, http2: false, tls: { selfSigned: true } });
  expect((await handshake(plain, { ALPNProtocols: ['h2', 'http/1.1'] })).alpnProtocol).toBe('http/1.1');
});

test('renegotiation is refused', async () => {
  const { port } = await start({ ...version, tls: { selfSigned: true } });
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2', '-msg'];
  const child = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill());
  let said = '';
  const over = new Promise((resolve) => child.once('exit', resolve));
  const look = (bytes: Buffer) => {
    const before = said;
    said += bytes.toString();
    if (said.includes('Verify return code') && !before.includes('Verify return code')) child.stdin.write('R\n');
    if (/no_renegotiation|no renegotiation/.test(said) && child.stdin.writable) child.stdin.end('Q\n');
  };
  child.stdout.on('data', look);
  child.stderr.on('data', look);
  await over;
  expect(said).toMatch(/no.renegotiation/);
});

test('an answer after which the connection ends is followed by close_notify', async () => {
  const { port } = await start({ ...version, http2: false, tls: { selfSigned: true } });
  const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const out = await new Promise<string>((resolve, reject) => {
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-quiet', '-msg', '-ign_eof'];
    const child = execFile('openssl', args, (error, stdout, stderr) =>
      error ? reject(error) : resolve(stdout + stderr),
    );
    child.stdin?.write(request);
  });
  expect(out).toContain('HTTP/1.1 200 OK');
  expect(out).toContain('<<< TLS 1.3, Alert [length 0002], warning close_notify');
  expect(out).not.toContain('unexpected eof');
});

test('a client that says nothing is given up', async () => {
  const { port } = await start({ ...version, tls: { selfSigned: true }, limits: { headerMs: 1000 } });
  for (const first of ['', '\x16\x03\x01\x02\x00\x01']) {
    const socket = connectPlain(port, '127.0.0.1');
    socket.write(first, 'latin1');
    await new Promise((resolve) => socket.once('close', resolve).resume());
  }
});

test('WebSockets and server-sent events work over TLS', async () => {
  const { port } = await start({
    tls: { selfSigned: true },
    routes: {
      '/events': (call) => events(call, (out) => void out.send(`by ${call.version}`)),
      '/': (call) => call.accept({ message: (socket, data) => void socket.send(data) }, null),
    },
  });
  const socket = new WebSocket(`wss://127.0.0.1:${port}/`, { rejectUnauthorized: false });
  const big = 'x'.repeat(1_000_000);
  const echoed = await new Promise<string>((resolve, reject) => {
    socket.on('open', () => socket.send(big));
    socket.on('message', (data) => resolve(String(data)));
    socket.on('error', reject);
  });
  socket.close();
  expect(echoed === big).toBe(true);
  expect(await curl('-k', `https://127.0.0.1:${port}/events`)).toContain('data: by 2');
});

test('a connection of HTTP/2 cannot be taken over, nor become a WebSocket', async () => {
  const { port } = await start({
    tls: { selfSigned: true },
    routes: {
      '/take': (call) => {
        expect(call.head).toBe(null);
        try {
          return call.takeOver({ Upgrade: 'x' }, () => {});
        } catch (error) {
          return reply(200, {}, String(error));
        }
      },
      '/socket': (call) => call.accept({ message: () => {} }, null),
    },
  });
  expect(await curl('-k', `https://127.0.0.1:${port}/take`)).toContain('a connection of HTTP/2 cannot be taken over');
  expect(await curl('-k', '-o', '/dev/null', '-w', '%{http_code}', `https://127.0.0.1:${port}/socket`)).toMatch(/^4/);
});

test('a drain answers what is under way by HTTP/2, and then ends', async () => {
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const server = await start({
    tls: { selfSigned: true },
    handle: async () => {
      begun.resolve();
      await go.promise;
      return reply(200, {}, 'done');
    },
  });
  const client = connectHttp2(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false });
  client.on('error', () => {});
  const stream = client.request({ ':path': '/' });
  let content = '';
  stream.on('data', (bytes) => {
    content += String(bytes);
  });
  const ended = new Promise((resolve) => stream.once('end', resolve));
  await begun.promise;
  const stopped = server.stop();
  go.resolve();
  await ended;
  await stopped;
  expect(content).toBe('done');
});

test('new files are used from the next handshake on, bad ones change nothing', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'both.pem');
  const write = (text: string) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  const [first, second] = [makeSelfSigned(['first.test']), makeSelfSigned(['second.test'])];
  write(first.key + first.cert);
  const { port } = await start({ ...version, tls: { certFile: file, keyFile: file } });
  const open = await handshake(port);
  expect(await nameSeen(port, undefined)).toBe('first.test');
  write(second.key + first.cert);
  write(second.key + second.cert);
  while ((await nameSeen(port, undefined)) !== 'second.test') await new Promise((resolve) => setTimeout(resolve, 200));
  expect(open.destroyed).toBe(false);
});

test('what is wrong with a certificate is said, and nothing is served', async () => {
  const [one, other] = [makeSelfSigned(['a.test']), makeSelfSigned(['b.test'])];
  const begin = (tls: Options['tls']) => serve({ ...version, port: 0, tls }).ready;
  await expect(begin({ cert: one.cert, key: other.key })).rejects.toThrow(
    /the key must belong to the certificate of a.test/,
  );
  await expect(begin({ cert: other.cert + one.cert, key: one.key })).rejects.toThrow(/must come first, it is number 2/);
  await expect(begin({ cert: one.cert + other.cert, key: one.key })).rejects.toThrow(/must be followed by its issuer/);
  await expect(begin({ cert: one.key, key: one.key })).rejects.toThrow(
    /the certificate must be PEM .* got private key/,
  );
  await expect(begin({ certFile: '/nowhere', keyFile: '/nowhere' })).rejects.toThrow(
    /\/nowhere cannot be read: ENOENT/,
  );
  await expect(begin({})).rejects.toThrow(/tls must have cert and key/);
});

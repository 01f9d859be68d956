import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { check, type HealthTarget, readStatus } from '../../src/cli/health-probe.ts';
import { healthcheck, resolveTarget } from '../../src/cli/healthcheck.ts';
import type { ProcessIO } from '../../src/cli/process-io.ts';
import { formatDuration } from '../../src/rules/rules.ts';

const DEFAULT: HealthTarget = {
  host: '127.0.0.1',
  port: 8080,
  unixPath: undefined,
  path: '/',
  authority: '127.0.0.1:8080',
  timeoutMs: 5000,
};

type Typed = Record<string, readonly string[]>;

describe('the target of the request', () => {
  test.each<[string | undefined, Typed, Record<string, string>, Partial<HealthTarget>]>([
    [undefined, {}, {}, {}],
    [undefined, {}, { VRYPT_PORT: '3000', PORT: '4000' }, { port: 3000, authority: '127.0.0.1:3000' }],
    [undefined, {}, { VRYPT_PORT: 'tcp://10.0.0.1:80', PORT: '4000' }, { port: 4000, authority: '127.0.0.1:4000' }],
    [undefined, { port: ['5000'] }, { VRYPT_PORT: '3000' }, { port: 5000, authority: '127.0.0.1:5000' }],
    ['3000', {}, { PORT: '4000' }, { port: 3000, authority: '127.0.0.1:3000' }],
    ['3000', { port: ['3000'] }, {}, { port: 3000, authority: '127.0.0.1:3000' }],
    ['/ready?full=1', {}, {}, { path: '/ready?full=1' }],
    [undefined, { host: ['::'] }, {}, { host: '::1', authority: '[::1]:8080' }],
    [undefined, {}, { VRYPT_HOST: '0.0.0.0' }, {}],
    [undefined, {}, { VRYPT_HOST: '192.0.2.7' }, { host: '192.0.2.7', authority: '192.0.2.7:8080' }],
    [undefined, { timeout: ['300ms'] }, {}, { timeoutMs: 300 }],
    [undefined, {}, { VRYPT_TIMEOUT: '1s' }, { timeoutMs: 1000 }],
    ['http://a.example', {}, {}, { host: 'a.example', port: 80, authority: 'a.example' }],
    [
      'HTTP://a.example:81/x?y#z',
      {},
      { VRYPT_PORT: '1' },
      { host: 'a.example', port: 81, authority: 'a.example:81', path: '/x?y' },
    ],
    ['http://[::1]:3000/', {}, {}, { host: '::1', port: 3000, authority: '[::1]:3000' }],
    [undefined, { unix: ['/x'] }, {}, { host: undefined, port: 0, unixPath: '/x', authority: 'localhost' }],
    [
      '/ready',
      {},
      { VRYPT_UNIX: '/x', PORT: '1' },
      { host: undefined, port: 0, unixPath: '/x', authority: 'localhost', path: '/ready' },
    ],
    ['http://a/', { unix: ['/x'] }, {}, { host: 'a', port: 80, unixPath: '/x', authority: 'a' }],
    ['http://a/', {}, { VRYPT_UNIX: '/x' }, { host: 'a', port: 80, authority: 'a' }],
    ['3000', {}, { VRYPT_UNIX: '/x' }, { port: 3000, authority: '127.0.0.1:3000' }],
  ])('%j with %j and %j', (positional, options, environment, target) => {
    expect(resolveTarget({ positional, options }, environment)).toEqual({ ...DEFAULT, ...target });
  });

  const rule = 'url must be a URL that begins with http://, a path that begins with / or a port, got';
  test.each<[string | undefined, Typed, Record<string, string>, string]>([
    ['https://a', {}, {}, `${rule} "https://a"`],
    ['localhost:3000', {}, {}, `${rule} "localhost:3000"`],
    ['', {}, {}, `${rule} ""`],
    ['http://', {}, {}, `${rule} "http://"`],
    ['http://a:65536/', {}, {}, `${rule} "http://a:65536/"`],
    ['http://user:secret@a/', {}, {}, `${rule} "http://user:secret@a/"`],
    ['/a b', {}, {}, 'path must be printable ASCII without spaces, got "/a b"'],
    ['/a\r\nX: y', {}, {}, 'path must be printable ASCII without spaces, got "/a\\r\\nX: y"'],
    ['65536', {}, {}, 'port must be a whole number from 0 to 65535, got "65536"'],
    [undefined, { port: ['0'] }, {}, '--port must be a whole number from 1 to 65535, got "0"'],
    ['0', {}, {}, 'port must be a whole number from 1 to 65535, got "0"'],
    [undefined, {}, { PORT: '0' }, 'PORT must be a whole number from 1 to 65535, got "0"'],
    ['3000', { port: ['3001'] }, {}, '--port and the port given without a name must not differ, got 3001 and 3000'],
    ['http://a', { port: ['1'] }, {}, '--port and a whole url must not be given together'],
    ['http://a', { host: ['b'] }, {}, '--host and a whole url must not be given together'],
    [undefined, { unix: ['/x'], port: ['1'] }, {}, '--unix and --port must not be given together'],
    [undefined, {}, { VRYPT_PORT: 'x' }, 'VRYPT_PORT must be a whole number from 0 to 65535, got "x"'],
    [
      undefined,
      { timeout: ['5'] },
      {},
      '--timeout must be a duration from 1ms to 24h with a unit (ms, s, m or h), such as 2500ms or 30s, got "5"',
    ],
  ])('%j with %j and %j is refused', (positional, options, environment, message) => {
    expect(() => resolveTarget({ positional, options }, environment)).toThrow(
      expect.objectContaining({ name: 'UsageError', message }),
    );
  });
});

test.each<[string, number | null | undefined]>([
  ['HTTP/1.1 200 OK\r\n', 200],
  ['HTTP/1.0 404\r\n', 404],
  ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n', 204],
  ['', undefined],
  ['HTT', undefined],
  ['HTTP/1.1 200', undefined],
  ['HTTP/1.1 100 Continue\r\nX: y\r\n', undefined],
  ['SSH-2.0-OpenSSH\r\n', null],
  ['HTTP/2 200\r\n', null],
  ['HTTP/1.1 20 OK\r\n', null],
  ['HTTP/1.1 2000 OK\r\n', null],
])('the status of %j is %s', (response, status) => {
  expect(readStatus(response)).toBe(status);
});

/** The result for a listener that does `onRequest` with each connection. */
async function checkAgainst(onRequest: (socket: Socket, request: string) => void, changes: Partial<HealthTarget> = {}) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.setEncoding('latin1').once('data', (request: string) => onRequest(socket, request));
    onTestFinished(() => void socket.destroy());
  });
  server.listen(changes.unixPath ?? { port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port = 0 } = (changes.unixPath === undefined ? server.address() : {}) as AddressInfo;
  return check({ ...DEFAULT, port, ...changes }, 'test');
}

function answering(response: string) {
  return (socket: Socket) => void socket.end(response);
}

test.each([
  [2500, '2500ms'],
  [5000, '5s'],
  [90_000, '90s'],
  [120_000, '2m'],
  [3_600_000, '1h'],
])('%d ms are written as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

describe('a health check', () => {
  test.each([200, 204, 301, 399])('finds a server healthy that answers with %d', async (status) => {
    expect(await checkAgainst(answering(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`))).toBe(null);
  });

  test.each([400, 404, 500, 503])('finds a server unhealthy that answers with %d', async (status) => {
    expect(await checkAgainst(answering(`HTTP/1.1 ${status} X\r\n\r\n`))).toBe(`answered with ${status}`);
  });

  test('sends one GET with the requested host and path', async () => {
    let sent = '';
    await checkAgainst(
      (socket, request) => {
        sent = request;
        socket.end('HTTP/1.1 200 OK\r\n\r\n');
      },
      { path: '/ready?x', authority: 'a.example' },
    );
    expect(sent).toBe('GET /ready?x HTTP/1.1\r\nHost: a.example\r\nUser-Agent: test\r\nConnection: close\r\n\r\n');
  });

  test('needs only the status line', async () => {
    expect(await checkAgainst((socket) => void socket.write('HTTP/1.1 200 OK\r\n'))).toBe(null);
  });

  test('reads an answer that arrives in pieces', async () => {
    expect(
      await checkAgainst((socket) => {
        socket.write('HTTP/1.1 1');
        setImmediate(() => socket.write('00 Continue\r\n\r\nHTTP/1.1 500 X\r\n'));
      }),
    ).toBe('answered with 500');
  });

  test('finds a server unhealthy that closes, resets or speaks another protocol', async () => {
    expect(await checkAgainst((socket) => void socket.end())).toBe('closed the connection without an answer');
    expect(await checkAgainst((socket) => void socket.resetAndDestroy())).toBe('cannot be reached (ECONNRESET)');
    expect(await checkAgainst(answering('SSH-2.0-OpenSSH\r\n'))).toBe('did not answer with HTTP/1.1');
    expect(await checkAgainst((socket) => void socket.write('x'.repeat(100_000)))).toBe('did not answer with HTTP/1.1');
    expect(await checkAgainst((socket) => void socket.write(`HTTP/1.1 100 X\r\n${'x'.repeat(100_000)}`))).toBe(
      'did not answer with HTTP/1.1',
    );
  });

  test('finds a silent server unhealthy after the timeout', async () => {
    expect(await checkAgainst(() => {}, { timeoutMs: 50 })).toBe('did not answer within 50ms');
  });

  test('connects to a Unix socket', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-health-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const unixPath = path.join(folder, 'socket');
    expect(await checkAgainst(answering('HTTP/1.1 200 OK\r\n\r\n'), { unixPath, host: undefined })).toBe(null);
  });

  test('tries every address of a name', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')).listen(0, '::1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expect(await check({ ...DEFAULT, host: 'localhost', port }, 'test')).toBe(null);
  });

  test('says in one line what is wrong, and exits with 1', async () => {
    const printed: string[] = [];
    const io: ProcessIO = {
      args: [],
      environment: {},
      build: { version: '1', commit: 'c', targets: {} },
      print: (text) => {
        printed.push(text);
        return null;
      },
      printError: (text) => printed.push(text),
    };
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    expect(await healthcheck.run({ positionals: [], options: {}, positional: String(port) }, io)).toBe(1);
    expect(await healthcheck.run({ positionals: [], options: { unix: ['/no/such'] }, positional: '/ready' }, io)).toBe(
      1,
    );
    expect(printed).toEqual([
      `vrypt-server: http://127.0.0.1:${port}/ cannot be reached (ECONNREFUSED)\n`,
      'vrypt-server: /no/such cannot be reached (ENOENT)\n',
    ]);
  });
});

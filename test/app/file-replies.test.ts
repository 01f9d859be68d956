import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnswerEnd, file, files, reply } from '../../src/index.ts';
import { get, request, startServer } from './start-server.ts';

const LARGE = 3 * 1024 * 1024;
const HUGE = 256 * 1024 * 1024;
let root = '';

beforeAll(async () => {
  root = await mkdtemp('/tmp/vrypt-files-');
  await mkdir(`${root}/sub dir`);
  await writeFile(`${root}/index.html`, '<p>index');
  await writeFile(`${root}/a.txt`, 'small');
  await writeFile(`${root}/sub dir/b.json`, '{}');
  await writeFile(`${root}/large.bin`, Buffer.alloc(LARGE, 'z'));
  // More than any socket's buffers hold, and no blocks on the disk.
  await writeFile(`${root}/huge.bin`, '');
  await truncate(`${root}/huge.bin`, HUGE);
});
afterAll(() => rm(root, { recursive: true }));

describe('file', () => {
  test('answers with a file, its validators, ranges and 404', async () => {
    const { connect } = await startServer({
      handle: (call) => file(call, call.path, { root, fields: { 'X-A': 'a' } }),
    });
    const client = await connect();
    const whole = await client.send(get('/a.txt')).response();
    expect([whole.status, whole.body]).toEqual([200, 'small']);
    expect(whole.head).toContain('X-A: a');
    const etag = /ETag: (.*)/i.exec(whole.head)?.[1]?.trim();
    expect((await client.send(get('/a.txt', `If-None-Match: ${etag}\r\n`)).response()).status).toBe(304);
    const part = await client.send(get('/a.txt', 'Range: bytes=1-2\r\n')).response();
    expect([part.status, part.body]).toEqual([206, 'ma']);
    const head = await client.send(request('HEAD', '/a.txt')).response(true);
    expect(head.head).toContain('Content-Length: 5');
    expect((await client.send(get('/none')).response()).status).toBe(404);
    expect((await client.send(get('/%2e%2e/etc/passwd')).response()).status).toBe(404);
    expect((await client.send(request('POST', '/a.txt')).response()).status).toBe(405);
  });

  test('large ones come in pieces, as fast as the client reads, and their end is exact', async () => {
    const { connect, url } = await startServer({ handle: (call) => file(call, `${root}/large.bin`) });
    const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
    expect([bytes.length, bytes.every((byte) => byte === 0x7a)]).toEqual([LARGE, true]);
    const slow = await connect({ isPaused: true });
    slow.send(get('/'));
    const other = await connect();
    expect((await other.send(get('/', 'Range: bytes=0-9\r\n')).response()).body).toBe('z'.repeat(10));
    slow.socket.resume();
    expect((await slow.response()).body.length).toBe(LARGE);
    expect((await slow.send(get('/', 'Range: bytes=-1\r\n')).response()).body).toBe('z');
  });

  test('a client that goes in the middle costs nothing', async () => {
    const ended = Promise.withResolvers<AnswerEnd>();
    const { server, connect, url } = await startServer({
      handle: (call) => file(call, `${root}/huge.bin`),
      done: (_call, end) => ended.resolve(end),
    });
    const client = await connect({ isPaused: true });
    client.send(get('/'));
    while (server.pendingRequests === 0) await new Promise((resolve) => setImmediate(resolve));
    client.reset();
    const { isAborted, bytes } = await ended.promise;
    expect([isAborted, bytes < HUGE]).toEqual([true, true]);
    expect((await fetch(url, { method: 'HEAD' })).headers.get('content-length')).toBe(String(HUGE));
  });
});

describe('files', () => {
  test('serves a directory, and leaves what is not there to the next handler', async () => {
    const { connect } = await startServer({
      handle: await files(root),
      fetch: () => new Response('next', { status: 404 }),
    });
    const client = await connect();
    expect((await client.send(get('/')).response()).body).toBe('<p>index');
    expect((await client.send(get('/sub%20dir/b.json')).response()).body).toBe('{}');
    expect(await client.send(get('/none')).response()).toMatchObject({ status: 404, body: 'next' });
    expect((await client.send(get('/..%2fetc/passwd')).response()).status).toBe(404);
  });

  test('on a route with "*" it stands for what comes before', async () => {
    const { connect } = await startServer({
      routes: {
        '/static/*': await files(root, { listing: true, fields: { 'X-A': 'a' } }),
        '/static/made': reply(200, {}, 'made'),
      },
    });
    const client = await connect();
    expect((await client.send(get('/static/')).response()).body).toBe('<p>index');
    const found = await client.send(get('/static/sub%20dir/b.json')).response();
    expect([found.body, found.head.includes('X-A: a')]).toEqual(['{}', true]);
    expect((await client.send(get('/static/made')).response()).body).toBe('made');
    const moved = await client.send(get('/static/sub%20dir?q')).response();
    expect([moved.status, /Location: (.*)/i.exec(moved.head)?.[1]]).toEqual([301, '/static/sub%20dir/?q']);
    expect((await client.send(get('/static')).response()).status).toBe(404);
  });

  test('a root that is none is refused', async () => {
    await expect(files(`${root}/a.txt`)).rejects.toThrow('root must be a directory');
  });
});

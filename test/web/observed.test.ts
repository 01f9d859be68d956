import { once } from 'node:events';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { compressFile, Rotator } from '../../src/log/rotation.ts';
import { ask, makeFolder, startWeb } from './start-web.ts';

const LOG = (format: string) =>
  `[logging.access_log]\npath = "logs/access.log"\nformat = "${format}"\nbuffer_size = 1\n`;

async function linesOf(folder: string, count: number): Promise<string[]> {
  const file = path.join(folder, 'logs/access.log');
  const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  await expect.poll(() => lines().length, { timeout: 10_000 }).toBe(count);
  return lines();
}

describe('the access log', () => {
  test('has the fields of its ancestor as JSON', async () => {
    const { get, folder } = await startWeb(`${LOG('json')}[[sites]]\nrespond = "12345"`);
    await get('/a?b=c', { headers: { 'User-Agent': 'a "quote"' } });
    const [line = ''] = await linesOf(folder, 1);
    expect(JSON.parse(line)).toMatchObject({
      remote_addr: '127.0.0.1',
      method: 'GET',
      path: '/a?b=c',
      status: 200,
      bytes_sent: 5,
      user_agent: 'a "quote"',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      response_time_ms: expect.any(Number),
      request_id: expect.stringMatching(/^[0-9a-z]{18}$/),
    });
  });

  test('is common and combined as Apache has them', async () => {
    for (const format of ['common', 'combined']) {
      const { get, folder } = await startWeb(`${LOG(format)}[[sites]]\nrespond = "12345"`);
      await get('/index.html', { headers: { Referer: 'http://a/', 'User-Agent': 'x' } });
      const [line = ''] = await linesOf(folder, 1);
      const common =
        /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/index\.html HTTP\/1\.1" 200 5/;
      expect(line).toMatch(common);
      expect(line.replace(common, '')).toBe(format === 'common' ? '' : ' "http://a/" "x"');
    }
  });

  test.each(['combined', 'json'])('cannot be forged by a client, in %s', async (format) => {
    const { ports, folder, get } = await startWeb(`${LOG(format)}[[sites]]\nrespond = "1"`);
    const nasty = 'a" 200 1 "\\\x85\xff\t';
    await new Promise<void>((resolve) => {
      const socket = connect(ports[0] as number, '127.0.0.1', () => {
        socket.end(
          Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Agent: ${nasty}\r\n\r\n`, 'latin1'),
        );
      });
      socket.resume().on('close', () => resolve());
    });
    await get('/second');
    const [line = ''] = await linesOf(folder, 2);
    expect(line).toMatch(/^[\x20-\x7e]+$/);
    if (format === 'json') expect(JSON.parse(line).user_agent).toBe(nasty.trim());
    else expect(line).toContain('"a\\" 200 1 \\"\\\\\\x85\\xff"');
  });

  test('goes on in a new file when the old one has been moved', async () => {
    const { get, folder } = await startWeb(`${LOG('common')}[[sites]]\nrespond = "1"`);
    await get('/1');
    await linesOf(folder, 1);
    renameSync(path.join(folder, 'logs/access.log'), path.join(folder, 'logs/old'));
    await get('/2');
    await expect.poll(() => readdirSync(path.join(folder, 'logs')), { timeout: 10_000 }).toContain('access.log');
    expect((await linesOf(folder, 1))[0]).toContain('/2');
  });
});

describe('rotation', () => {
  const OPTIONS = {
    maxSize: 100,
    every: null,
    maxBackups: 2,
    maxAgeMs: Number.POSITIVE_INFINITY,
    compress: null,
  } as const;

  test('by size and by time, and keeps as many as it should', () => {
    const folder = makeFolder({ log: 'x'.repeat(80) });
    const file = path.join(folder, 'log');
    let now = Date.parse('2026-01-01T10:00:00Z');
    const rotator = new Rotator(
      file,
      { ...OPTIONS, every: 'day' },
      () => {},
      () => now,
    );
    onTestFinished(() => rotator.close());
    rotator.rotateBefore(10);
    // The file is from today, which is another day than that of the clock.
    for (let day = 0; day < 4; day++) {
      writeFileSync(file, 'x'.repeat(95));
      rotator.rotateBefore(10);
      now += 86_400_000;
      writeFileSync(file, 'new day');
      rotator.rotateBefore(1);
    }
    expect(readdirSync(folder)).toHaveLength(2);
  });

  test('compresses what was moved', async () => {
    const folder = makeFolder({ 'log.20260101T000000Z': 'line\n'.repeat(1000) });
    await compressFile(path.join(folder, 'log.20260101T000000Z'), 'gzip');
    expect(readdirSync(folder)).toEqual(['log.20260101T000000Z.gz']);
    expect(gunzipSync(readFileSync(path.join(folder, 'log.20260101T000000Z.gz'))).toString()).toBe(
      'line\n'.repeat(1000),
    );
  });
});

describe('metrics', () => {
  test('are on a listener of their own, and shadow nothing', async () => {
    const { get, ports } = await startWeb('[metrics]\nlisten = "127.0.0.1:0"\n[[sites]]\nrespond = "app"');
    expect((await get('/metrics')).text).toBe('app');
    await get('/', { method: 'POST' });
    const port = ports[1] as number;
    const { text, headers } = await get('/metrics', { port });
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('http_requests_total{method="GET",status="200"} 1\n');
    expect(text).toContain('http_requests_total{method="POST",status="200"} 1\n');
    expect(text).toMatch(/http_request_duration_seconds_bucket\{le="\+Inf"\} 2\n/);
    expect(text).toMatch(/http_request_duration_seconds_count 2\n/);
    expect((await get('/health', { port })).text).toBe('ok\n');
    expect((await get('/ready', { port })).status).toBe(200);
    const status = JSON.parse((await get('/status?json', { port })).text);
    expect(status).toMatchObject({ workers: 1, upstreams: [] });
  });

  test('count connections on listeners that a reload has opened, when all others are gone', async () => {
    const site = '[[sites]]\nserve = "metrics"';
    const { take } = await startWeb(site);
    const { config } = await take(`[[listeners]]\nname = "new"\naddress = "127.0.0.1"\nport = 0\n${site}`);
    const { port } = config.listeners[0] as (typeof config.listeners)[0];
    const client = connect(port, '127.0.0.1');
    onTestFinished(() => void client.destroy());
    await once(client, 'connect');
    const metrics = async () => (await ask('/', { port })).text;
    await expect.poll(metrics, { timeout: 10_000 }).toMatch(/^http_connections [1-9]/m);
  });

  test('are where a route says', async () => {
    const { get } = await startWeb(
      '[[sites]]\nrespond = "app"\n[[sites.routes]]\npath = "/own/metrics"\nserve = "metrics"',
    );
    expect((await get('/own/metrics')).text).toContain('# TYPE http_requests_total counter');
    expect((await get('/metrics')).text).toBe('app');
  });

  test('readiness ends with the drain', async () => {
    const { get, worker } = await startWeb('[[sites]]\nserve = "ready"');
    expect((await get('/')).status).toBe(200);
    worker.announceDrain();
    expect(await get('/')).toMatchObject({ status: 503, text: 'draining\n' });
  });
});

describe('a proxied route', () => {
  async function upstream(): Promise<number> {
    const server = createServer((request, response) => {
      response.setHeader('X-Frame-Options', 'SAMEORIGIN');
      response.setHeader('Server', 'upstream');
      response.end(JSON.stringify({ url: request.url, headers: request.headers }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return (server.address() as AddressInfo).port;
  }

  test('passes requests on, rewritten, and its answers have the fields of the route', async () => {
    const port = await upstream();
    const { get } = await startWeb(`
[security.headers]
x_frame_options = "DENY"
x_content_type_options = "nosniff"
[[sites]]
proxy = "http://127.0.0.1:${port}"
headers = { set = { X-Route = "1" }, remove = ["Server"] }
[[sites.routes]]
path = "/api/*"
strip_prefix = "/api"
proxy = "http://127.0.0.1:${port}"
`);
    const { headers, text } = await get('/a?b', { host: 'a.example' });
    expect(JSON.parse(text)).toMatchObject({
      url: '/a?b',
      headers: { host: 'a.example', 'x-forwarded-for': '127.0.0.1' },
    });
    expect(headers).toMatchObject({
      'x-frame-options': 'SAMEORIGIN',
      'x-content-type-options': 'nosniff',
      'x-route': '1',
    });
    expect(headers).not.toHaveProperty('server');
    expect(JSON.parse((await get('/api/users?id=1')).text).url).toBe('/users?id=1');
  });

  test('has pages of its own for failures', async () => {
    const { get } = await startWeb('[error_pages]\n502 = "502.html"\n[[sites]]\nproxy = "http://127.0.0.1:1"', {
      '502.html': '<p>later',
    });
    expect(await get('/')).toMatchObject({ status: 502, text: '<p>later' });
  });

  test('is not ready when nobody is healthy', async () => {
    const { get } = await startWeb(`
[backends.app]
url = "http://127.0.0.1:1"
max_fails = 1
[[sites]]
proxy = "app"
[[sites.routes]]
path = "/ready"
serve = "ready"
`);
    await get('/');
    expect((await get('/ready')).status).toBe(503);
  });
});

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { startWeb } from './start-web.ts';

const PAGE = '<p>a line that repeats\n'.repeat(5000);

async function start(listener: RequestListener, more = 'proxied = true') {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return startWeb(`[compression]\n${more}\n[[sites]]\nproxy = "http://127.0.0.1:${port}"`);
}

const page: RequestListener = (_, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.setHeader('ETag', '"one"');
  response.setHeader('Content-Length', PAGE.length);
  response.end(PAGE);
};

test('answers of upstreams are compressed by what the client accepts', async () => {
  const { get } = await start(page);
  const decoders = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync };
  for (const [coding, decode] of Object.entries(decoders)) {
    const { headers, bytes } = await get('/', { headers: { 'Accept-Encoding': coding } });
    expect(headers).toMatchObject({ 'content-encoding': coding, vary: 'Accept-Encoding', etag: 'W/"one"' });
    expect(headers).not.toHaveProperty('content-length');
    expect(bytes.length).toBeLessThan(PAGE.length / 10);
    expect(decode(bytes).toString()).toBe(PAGE);
  }
  const plain = await get('/');
  expect(plain.headers).toMatchObject({
    vary: 'Accept-Encoding',
    'content-length': String(PAGE.length),
    etag: '"one"',
  });
  expect(plain.text).toBe(PAGE);
  const head = await get('/', { method: 'HEAD', headers: { 'Accept-Encoding': 'gzip' } });
  expect(head.headers).toMatchObject({ 'content-encoding': 'gzip' });
  expect(head.headers).not.toHaveProperty('content-length');
});

test('many at once, and one after the other on a connection, stay apart', async () => {
  const { get } = await start((request, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.end(`${request.url} `.repeat(20_000));
  });
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, n) => get(`/${n}`, { headers: { 'Accept-Encoding': 'gzip' } })),
  );
  for (const [n, { bytes }] of answers.entries()) expect(gunzipSync(bytes).toString()).toBe(`/${n} `.repeat(20_000));
});

test('a slow upstream is not held back', async () => {
  const { ports } = await start((_, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.write('the first half');
  });
  const abort = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${ports[0]}/`, { signal: abort.signal });
  expect(answer.headers.get('content-encoding')).not.toBeNull();
  const { value } = (await answer.body?.getReader().read()) ?? {};
  expect(new TextDecoder().decode(value)).toBe('the first half');
  abort.abort();
});

test('what is compressed already, is small or does not shrink goes as it is', async () => {
  const { get } = await start((request, response) => {
    response.setHeader('Content-Type', request.url === '/image' ? 'image/png' : 'text/plain');
    if (request.url === '/gzip') response.setHeader('Content-Encoding', 'gzip');
    const content = request.url === '/small' ? 'small' : PAGE;
    response.setHeader('Content-Length', content.length);
    response.end(content);
  });
  for (const target of ['/image', '/gzip', '/small']) {
    const { headers } = await get(target, { headers: { 'Accept-Encoding': 'br' } });
    expect(headers['content-encoding'], target).toBe(target === '/gzip' ? 'gzip' : undefined);
    expect(headers['content-length'], target).toBeDefined();
  }
});

test('nothing is, unless the configuration says so', async () => {
  const { get } = await start(page, '');
  const { headers } = await get('/', { headers: { 'Accept-Encoding': 'gzip' } });
  expect(headers).not.toHaveProperty('content-encoding');
  expect(headers).not.toHaveProperty('vary');
});

test('an upstream that breaks off is not taken for one that is done', async () => {
  const { get } = await start((_, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.write(PAGE);
    setTimeout(() => response.destroy(), 50);
  });
  await expect(get('/', { headers: { 'Accept-Encoding': 'gzip' } })).rejects.toThrow();
});

/** What versions of HTTP have in common through a proxy, and what is counted of them. */
import { createServer } from 'node:http';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startWeb } from './start-web.ts';

interface Exchanged {
  readonly text: string;
  readonly trailers: IncomingHttpHeaders | null;
}

/** Answers with what it got, and with trailers if the path asks for them. */
async function startOrigin(): Promise<number> {
  const origin = createServer(async (asked, response) => {
    let content = '';
    for await (const piece of asked) content += piece;
    const text = `${asked.httpVersion} ${content} ${JSON.stringify(asked.trailers)}`;
    if (asked.url === '/plain') {
      response.end(text);
      return;
    }
    response.writeHead(200, { Trailer: 'X-Sum' });
    if (asked.url !== '/empty') response.write(text);
    response.addTrailers({ 'X-Sum': '1', 'Content-Length': '5' });
    response.end();
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void origin.close().closeAllConnections());
  return (origin.address() as AddressInfo).port;
}

async function exchange(port: number, path: string, content: string, trailers: object | null): Promise<Exchanged> {
  const session = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':path': path, ':method': 'POST' }, { waitForTrailers: trailers !== null } as never);
  const got = { text: '', trailers: null as IncomingHttpHeaders | null };
  stream.on('trailers', (fields) => {
    got.trailers = fields;
  });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers as never));
  stream.end(content);
  for await (const piece of stream) got.text += piece;
  return got;
}

test('trailers of answers reach clients of HTTP/2, but for those that must not be any', async () => {
  const { ports } = await startWeb(`[[sites]]\nproxy = "http://127.0.0.1:${await startOrigin()}"`);
  const port = ports[0] as number;
  expect(await exchange(port, '/', 'a', null)).toEqual({
    text: '1.1 a {}',
    trailers: expect.objectContaining({ 'x-sum': '1' }),
  });
  const empty = await exchange(port, '/empty', 'a', null);
  expect([empty.text, empty.trailers?.['x-sum'], empty.trailers?.['content-length']]).toEqual(['', '1', undefined]);
  expect((await exchange(port, '/plain', 'a', null)).trailers).toBe(null);
});

test('trailers of requests of HTTP/2 reach upstreams, in chunks', async () => {
  const { ports } = await startWeb(`[[sites]]\nproxy = "http://127.0.0.1:${await startOrigin()}"`);
  const { text } = await exchange(ports[0] as number, '/plain', 'a', { 'x-mine': '1', host: 'evil' });
  expect(text).toBe('1.1 a {"x-mine":"1"}');
});

test('requests are counted by version', async () => {
  const { ports, get } = await startWeb(
    '[metrics]\nlisten = "off"\n[[sites]]\nrespond = "x"\n[[sites.routes]]\npath = "/metrics"\nserve = "metrics"',
  );
  await get('/');
  await get('/');
  await exchange(ports[0] as number, '/', '', null);
  const { text } = await get('/metrics');
  expect(text.match(/^http_requests_by_version_total.*$/gm)).toEqual([
    'http_requests_by_version_total{version="1.0"} 0',
    'http_requests_by_version_total{version="1.1"} 2',
    'http_requests_by_version_total{version="2"} 1',
    'http_requests_by_version_total{version="3"} 0',
  ]);
});

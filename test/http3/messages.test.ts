/** Messages of HTTP/3 through a web server on the committed runtime: trailers, versions in the metrics, and what is malformed. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ask } from '../web/start-web.ts';
import { Http3Parts, lack } from './start-http3.ts';

/** Answers with what it got, and with trailers. */
async function startOrigin(): Promise<number> {
  const origin = createServer(async (asked, response) => {
    let length = 0;
    for await (const piece of asked) length += piece.length;
    response.writeHead(200, { Trailer: 'X-Sum' });
    response.write(`${asked.httpVersion} ${length} ${asked.headers['x-a']} ${JSON.stringify(asked.trailers)}`);
    response.addTrailers({ 'X-Sum': '1', 'Content-Length': '5' });
    response.end();
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void origin.close().closeAllConnections());
  return (origin.address() as AddressInfo).port;
}

const HEAD = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/'],
] as const;

describe.skipIf(lack !== '')('messages of HTTP/3', { timeout: 120_000 }, () => {
  let parts: Http3Parts;
  beforeAll(() => {
    parts = new Http3Parts('x86_64-unknown-linux-musl');
  }, 300_000);
  afterAll(() => parts.close());

  test('have trailers both ways, are counted by version, and hold nothing that would end a line', async () => {
    const server = await parts.web(`
server = { host = "127.0.0.1", enable_http = false, https_port = 0, workers = 1 }
ssl = { http3 = true, directory = "${parts.folder}" }
metrics = { listen = "127.0.0.1:0" }
sites = [{ proxy = "http://127.0.0.1:${await startOrigin()}" }]
`);
    const portOf = (scheme: string) =>
      Number(new RegExp(`${scheme}://127\\.0\\.0\\.1:(\\d+)`).exec(server.stdout)?.[1]);
    const { answers } = await parts.ask(portOf('https'), [
      { path: '/', method: 'POST', content: 3, trailers: { 'x-mine': '1', 'x-real-ip': '1.1.1.1' } },
      { path: '/' },
      { path: '/', content: 3, raw: [...HEAD, ['x-a', 'a\r\nx-b: c']] },
      { path: '/', content: 3, raw: [...HEAD, ['x-a', 'ok'], ['X-B y', 'c']] },
    ]);
    const trailers = { 'x-sum': '1' };
    expect(answers.map(({ status, text, trailers: got }) => ({ status, text, trailers: got }))).toEqual([
      { status: 200, text: '1.1 3 undefined {"x-mine":"1"}', trailers },
      { status: 200, text: '1.1 0 undefined {}', trailers },
      { status: 200, text: '1.1 3 undefined {}', trailers },
      { status: 200, text: '1.1 3 ok {}', trailers },
    ]);
    const { text } = await ask('/metrics', { port: portOf('http') });
    expect(text).toContain('http_requests_by_version_total{version="3"} 4\n');
  });

  test.each<readonly [string, readonly (readonly [string, string])[]]>([
    ['without a path', HEAD.slice(0, 3)],
    ['with a field of connections', [...HEAD, ['connection', 'close']]],
    ['with a pseudo-header field after another field', [['x', 'y'], ...HEAD]],
    ['with less content than it says', [...HEAD, ['content-length', '10']]],
    ['with more content than it says', [...HEAD, ['content-length', '2']]],
  ])('one %s reaches no handler, and another connection is served on', async (_, raw) => {
    const server = await parts.web(`
server = { host = "127.0.0.1", enable_http = false, https_port = 0, workers = 1 }
ssl = { http3 = true, directory = "${parts.folder}" }
sites = [{ proxy = "http://127.0.0.1:${await startOrigin()}" }]
`);
    const { answers } = await parts.ask(server.port, [{ path: '/', content: 3, raw }]);
    expect(answers[0]?.status).toBe(undefined);
    expect((await parts.ask(server.port, [{ path: '/' }])).answers[0]?.status).toBe(200);
  });
});

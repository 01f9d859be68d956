/** What an upstream is sent of a request, and a client of its answer. */
import { describe, expect, test } from 'vitest';
import type { ProxySettings } from '../../src/proxy/settings.ts';
import { OK, RawOrigin } from './raw-origin.ts';
import { type ProxyStart, startProxy, upstream } from './start-proxy.ts';

const PLAIN: Partial<ProxySettings> = { forwarded: 'none' };

/** The lines of the head that the upstream gets for `request`. */
async function sent(request: string, start: ProxyStart = { settings: PLAIN }, basePath = ''): Promise<string[]> {
  const origin = await RawOrigin.start();
  const { connect } = await startProxy([upstream(origin.port, { basePath })], start);
  const client = await connect();
  client.send(request);
  const connection = await origin.connection();
  const head = await connection.request(request.endsWith('\r\n\r\n') ? '\r\n\r\n' : request.slice(-1));
  connection.send(OK);
  await client.response(request.startsWith('HEAD'));
  return head.split('\r\n').slice(0, -2);
}

describe('the head of a request', () => {
  test('is copied as it came: case, order and repetition', async () => {
    const lines = ['GET /a%2Fb?c=d HTTP/1.1', 'hOsT: a', 'X-B:  2 ', 'x-a: 1', 'X-A: 2', 'Accept: */*'];
    expect(await sent(`${lines.join('\r\n')}\r\n\r\n`)).toEqual(lines);
  });

  test('loses what belongs to the connection, also what Connection names', async () => {
    const request = [
      'GET / HTTP/1.1',
      'X-Secret: 1',
      'Host: a',
      'Connection: keep-alive, X-Secret ,close',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic eDp5',
      'TE: gzip',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
      'Proxy: http://evil',
      'connection: x-other',
      'X-Other: 2',
      'X-Kept: 3',
    ];
    expect(await sent(`${request.join('\r\n')}\r\n\r\n`)).toEqual(['GET / HTTP/1.1', 'Host: a', 'X-Kept: 3']);
  });

  test('loses names with underscores that CGI would take for ours', async () => {
    const request = 'GET / HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 6.6.6.6\r\nTransfer_Encoding: chunked\r\n\r\n';
    const lines = await sent(request, {});
    expect(lines).toEqual([
      'GET / HTTP/1.1',
      'Host: a',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Host: a',
      'X-Forwarded-Proto: http',
    ]);
  });

  test('has its target in origin-form, below the path of the upstream', async () => {
    expect((await sent('GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n'))[0]).toBe('GET /b?c HTTP/1.1');
    const start = { settings: PLAIN };
    expect((await sent('GET /b?c HTTP/1.1\r\nHost: a\r\n\r\n', start, '/base'))[0]).toBe('GET /base/b?c HTTP/1.1');
    expect((await sent('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', start, '/base'))[0]).toBe('OPTIONS * HTTP/1.1');
  });

  test('of HTTP/1.0 is one of HTTP/1.1, with a Host', async () => {
    const lines = await sent('GET / HTTP/1.0\r\nA: b\r\n\r\n');
    expect(lines[0]).toBe('GET / HTTP/1.1');
    expect(lines[1]).toBe('A: b');
    expect(lines[2]).toMatch(/^Host: 127\.0\.0\.1:\d+$/);
  });

  test('has the Host that the settings say', async () => {
    const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const own = await sent(request, { settings: { ...PLAIN, host: { from: 'upstream' } } });
    expect(own[1]).toMatch(/^Host: 127\.0\.0\.1:\d+$/);
    expect(own).toHaveLength(2);
    const fixed = await sent(request, { settings: { ...PLAIN, host: { fixed: 'b.example' } } });
    expect(fixed).toEqual(['GET / HTTP/1.1', 'Host: b.example']);
  });

  test('says who the client is, whatever the client says', async () => {
    const request =
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-Proto: https\r\n\r\n';
    expect((await sent(request, {})).slice(2)).toEqual([
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Host: a',
      'X-Forwarded-Proto: http',
    ]);
    expect((await sent(request, { settings: { forwarded: 'both' } })).at(-1)).toBe(
      'Forwarded: for=127.0.0.1;host="a";proto=http',
    );
  });

  test('passes on what other proxies say, and applications believe, only from a trusted one', async () => {
    const said = ['X-Real-IP: 6.6.6.6', 'X_Real_IP: 6.6.6.6', 'X-Forwarded-Port: 1', 'X-Forwarded-Prefix: //evil'];
    const request = `GET / HTTP/1.1\r\nHost: a\r\n${said.join('\r\n')}\r\nX-Kept: 1\r\n\r\n`;
    expect((await sent(request, {})).slice(2, -3)).toEqual(['X-Kept: 1']);
    expect((await sent(request, { trusts: ['loopback'] })).slice(2, -3)).toEqual([...said, 'X-Kept: 1']);
  });

  test('says that it came over TLS', async () => {
    const request = 'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: http\r\n\r\n';
    const lines = await sent(request, { scheme: 'https', settings: { forwarded: 'both' } });
    expect(lines.slice(-2)).toEqual(['X-Forwarded-Proto: https', 'Forwarded: for=127.0.0.1;host="a";proto=https']);
  });

  test('continues what a trusted proxy says', async () => {
    const request = [
      'GET / HTTP/1.1',
      'Host: a',
      'X-Forwarded-For: 6.6.6.6, 192.0.2.1',
      'X-Forwarded-Proto: http, https',
      'X-Forwarded-Host: b, c',
      'Forwarded: for=192.0.2.1;proto=https',
    ];
    const lines = await sent(`${request.join('\r\n')}\r\n\r\n`, { trusts: ['loopback'] });
    expect(lines.slice(2)).toEqual([
      'X-Forwarded-For: 6.6.6.6, 192.0.2.1, 127.0.0.1',
      'X-Forwarded-Host: c',
      'X-Forwarded-Proto: https',
      'Forwarded: for=192.0.2.1;proto=https, for=127.0.0.1;host="a";proto=http',
    ]);
  });

  test('asks for trailers if the client does', async () => {
    const lines = await sent('GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: gzip, trailers;q=1\r\n\r\n');
    expect(lines).toEqual(['GET / HTTP/1.1', 'Host: a']);
    const asked = await sent('GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\n\r\n');
    expect(asked.slice(2)).toEqual(['Connection: TE', 'TE: trailers']);
  });
});

describe('the content of a request', () => {
  test('keeps its length', async () => {
    const lines = await sent('POST / HTTP/1.1\r\nContent-Length: 5\r\nHost: a\r\n\r\nVrypt');
    expect(lines.slice(0, 3)).toEqual(['POST / HTTP/1.1', 'Host: a', 'Content-Length: 5']);
  });

  test('in chunks stays in chunks, without extensions, with its trailers', async () => {
    const origin = await RawOrigin.start();
    const { connect } = await startProxy(origin.port, { settings: PLAIN });
    const client = await connect();
    const trailers = 'X-Sum: 1\r\nContent-Length: 7\r\nAuthorization: x\r\n';
    client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nVry\r\n2\r\npt\r\n0\r\n${trailers}\r\n`,
    );
    const connection = await origin.connection();
    expect(await connection.request('0\r\nX-Sum: 1\r\n\r\n')).toBe(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nVry\r\n2\r\npt\r\n0\r\nX-Sum: 1\r\n\r\n',
    );
    connection.send(OK);
    expect((await client.response()).body).toBe('ok');
  });
});

/** What the client gets for what the upstream answers. */
async function received(answer: string, request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', ends = false): Promise<string> {
  const origin = await RawOrigin.start();
  const { connect } = await startProxy(origin.port, { settings: PLAIN });
  const client = await connect();
  client.send(request).endSending();
  const connection = await origin.connection();
  await connection.request();
  if (ends) connection.end(answer);
  else connection.send(answer);
  return (await client.end()).replace(/^Keep-Alive: .*\r\n/m, '').replace(/^Date: \w{3}, .*\r\n/m, '');
}

describe('an answer', () => {
  test('is copied as it came, without what belongs to the connection', async () => {
    const answer = [
      'HTTP/1.1 404 Nothing here',
      'server: x',
      'X-Secret: 1',
      'Connection: keep-alive, x-secret',
      'Keep-Alive: timeout=5',
      'Set-Cookie: a=b',
      'Set-Cookie: c=d',
      'Content-Length: 2',
      'Date: then',
      '',
      'no',
    ].join('\r\n');
    expect(await received(answer)).toBe(
      'HTTP/1.1 404 Nothing here\r\nserver: x\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nDate: then\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nno',
    );
  });

  test('in chunks stays in chunks, with its trailers', async () => {
    const answer =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nDate: then\r\n\r\n3\r\nVry\r\n2;x\r\npt\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a\r\n\r\n';
    expect(await received(answer)).toBe(
      'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nDate: then\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n3\r\nVry\r\n2\r\npt\r\n0\r\nX-Sum: 1\r\n\r\n',
    );
  });

  test('in chunks to HTTP/1.0 ends with the connection', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nDate: then\r\n\r\n5\r\nVrypt\r\n0\r\n\r\n';
    expect(await received(answer, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')).toBe(
      'HTTP/1.1 200 OK\r\nDate: then\r\nConnection: close\r\n\r\nVrypt',
    );
  });

  test('that ends with its connection is chunked', async () => {
    expect(await received('HTTP/1.0 200 OK\r\nDate: then\r\n\r\nVrypt', undefined, true)).toBe(
      'HTTP/1.1 200 OK\r\nDate: then\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n5\r\nVrypt\r\n0\r\n\r\n',
    );
  });

  test('to HEAD keeps the length of what it leaves out', async () => {
    expect(
      await received(
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: then\r\n\r\n',
        'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
      ),
    ).toBe('HTTP/1.1 200 OK\r\nDate: then\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n');
  });

  test.each([204, 304])('%d has no content', async (status) => {
    expect(await received(`HTTP/1.1 ${status} \r\nDate: then\r\n\r\n`)).toBe(
      `HTTP/1.1 ${status} \r\nDate: then\r\nConnection: keep-alive\r\n\r\n`,
    );
  });

  test('without a Date gets one', async () => {
    expect(await received('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')).toBe(
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n',
    );
  });

  test('comes after interim ones', async () => {
    const answer = `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\nX: y\r\n\r\nHTTP/1.1 102 P\r\n\r\n${OK}`;
    expect(await received(answer)).toBe(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok',
    );
  });

  test('comes without them to HTTP/1.0', async () => {
    const answer = `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${OK}`;
    expect(await received(answer, 'GET / HTTP/1.0\r\n\r\n')).toBe(
      'HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
    );
  });
});

/** What becomes of a request when its upstream fails: answers, further attempts, and what is told of it. */
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OK, RawOrigin } from './raw-origin.ts';
import { startProxy, upstream } from './start-proxy.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nVrypt';

/** A port on which nothing listens. */
async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return (address as { port: number }).port;
}

describe('an upstream that', () => {
  test('refuses connections costs a 502, and the connection of the client stays', async () => {
    const { connect, failures } = await startProxy(await unusedPort());
    const client = await connect();
    expect((await client.send(GET).response()).status).toBe(502);
    expect((await client.send(POST).response()).status).toBe(502);
    expect(failures).toMatchObject([
      { reason: 'connectFailed', detail: 'ECONNREFUSED', method: 'GET', target: '/a', outcome: 502 },
      { reason: 'connectFailed', method: 'POST', outcome: 502 },
    ]);
  });

  test('has no address costs a 502', async () => {
    const lookUp = () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
    const { connect, failures } = await startProxy([upstream(80, { host: 'nobody.invalid' })], { lookUp });
    expect((await (await connect()).send(GET).response()).status).toBe(502);
    expect(failures).toMatchObject([{ reason: 'nameUnknown', detail: 'ENOTFOUND' }]);
  });

  test('accepts and says nothing costs a 504', async () => {
    const origin = await RawOrigin.start();
    const timeouts = { connectMs: 5000, firstByteMs: 300, idleMs: 5000, keepAliveMs: 5000 };
    const { connect, failures } = await startProxy(origin.port, { settings: { timeouts } });
    const client = await connect();
    client.send(GET);
    const connection = await origin.connection();
    expect((await client.response()).status).toBe(504);
    await connection.ended();
    expect(failures).toMatchObject([{ reason: 'firstByteTimeout', outcome: 504 }]);
  });

  test.each(['reset', 'end'] as const)('answers with %s costs a 502', async (how) => {
    const origin = await RawOrigin.start();
    const { connect, failures } = await startProxy(origin.port);
    const client = await connect();
    client.send(GET);
    const connection = await origin.connection();
    await connection.request();
    connection[how]();
    expect((await client.response()).status).toBe(502);
    expect(failures).toMatchObject([{ reason: how === 'reset' ? 'reset' : 'ended', outcome: 502 }]);
  });

  test.each([
    'nonsense\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
    'HTTP/2.0 200 OK\r\n\r\n',
  ])('answers %j costs a 502 and its connection', async (answer) => {
    const origin = await RawOrigin.start();
    const { connect, failures } = await startProxy(origin.port);
    const client = await connect();
    client.send(GET);
    const connection = await origin.connection();
    await connection.request();
    connection.send(answer);
    expect((await client.response()).status).toBe(502);
    await connection.ended();
    expect(failures).toMatchObject([{ reason: 'answerInvalid', outcome: 502 }]);
  });

  test('dies in the middle of its answer costs the connection of the client, which must not take it for complete', async () => {
    const origin = await RawOrigin.start();
    const { connect, failures } = await startProxy(origin.port);
    for (const framing of ['Content-Length: 99', 'Transfer-Encoding: chunked']) {
      const client = await connect();
      client.send(GET);
      const connection = await origin.connection();
      await connection.request();
      connection.end(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n5\r\nVrypt\r\n`);
      const received = await client.end();
      expect(received).not.toMatch(/\r\n0\r\n\r\n$/);
      expect(client.failure?.code).toBe('ECONNRESET');
    }
    expect(failures).toMatchObject([{ reason: 'ended', outcome: 'cut off' }, { outcome: 'cut off' }]);
  });

  test('stops in the middle is given up', async () => {
    const origin = await RawOrigin.start();
    const timeouts = { connectMs: 5000, firstByteMs: 5000, idleMs: 300, keepAliveMs: 5000 };
    const { connect, failures } = await startProxy(origin.port, { settings: { timeouts } });
    const client = await connect();
    client.send(GET);
    const connection = await origin.connection();
    await connection.request();
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nVrypt');
    await client.end();
    expect(client.failure?.code).toBe('ECONNRESET');
    expect(failures).toMatchObject([{ reason: 'idleTimeout', outcome: 'cut off' }]);
  });

  test('sends what nobody asked for loses its connection, and nobody gets it', async () => {
    const origin = await RawOrigin.start();
    const { connect, proxy } = await startProxy(origin.port);
    const client = await connect();
    client.send(GET);
    const first = await origin.connection();
    await first.request();
    first.send(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil!`);
    expect((await client.response()).body).toBe('ok');
    await first.ended();
    client.send(GET);
    const second = await origin.connection();
    await second.request();
    second.send(OK);
    expect((await client.response()).body).toBe('ok');
    expect(proxy.states()[0]?.counters.unsolicited).toBe(1);
  });
});

describe('another attempt', () => {
  test('follows a connection that turns out to be closed, for what may be repeated', async () => {
    const origin = await RawOrigin.start();
    const { connect, failures, proxy } = await startProxy(origin.port);
    const client = await connect();
    client.send(GET);
    const first = await origin.connection();
    await first.request();
    first.send(OK);
    await client.response();
    client.send(GET);
    await first.request();
    first.reset();
    const second = await origin.connection();
    expect(await second.request()).toMatch(/^GET \/a /);
    second.send(OK);
    expect((await client.response()).status).toBe(200);
    expect(failures).toEqual([]);
    expect(proxy.states()[0]?.counters).toMatchObject({ requests: 3, retries: 1, connections: 2 });
  });

  test('does not follow a POST that was sent', async () => {
    const origin = await RawOrigin.start();
    const { connect, failures } = await startProxy(origin.port);
    const client = await connect();
    client.send(GET);
    const first = await origin.connection();
    await first.request();
    first.send(OK);
    await client.response();
    client.send(POST);
    await first.request('Vrypt');
    first.reset();
    expect((await client.response()).status).toBe(502);
    expect(origin.count).toBe(1);
    expect(failures).toMatchObject([{ reason: 'reset', method: 'POST', outcome: 502 }]);
  });

  test('goes to another upstream, even for a POST, if nothing was sent', async () => {
    const origin = await RawOrigin.start();
    const { connect, failures } = await startProxy([upstream(await unusedPort()), upstream(origin.port)]);
    const client = await connect();
    for (let i = 0; i < 2; i++) {
      client.send(POST);
      if (i === 0) {
        const connection = await origin.connection();
        expect(await connection.request('Vrypt')).toMatch(/^POST \/a HTTP\/1.1\r\n[\s\S]*\r\n\r\nVrypt$/);
        connection.end(OK);
      } else {
        const connection = await origin.connection();
        await connection.request('Vrypt');
        connection.send(OK);
      }
      expect((await client.response()).status).toBe(200);
    }
    expect(failures[0]).toMatchObject({ reason: 'connectFailed', outcome: 'retried' });
  });

  test('writes the head anew for an upstream with another name', async () => {
    const origin = await RawOrigin.start();
    const upstreams = [upstream(await unusedPort(), { basePath: '/one' }), upstream(origin.port, { basePath: '/two' })];
    const { connect } = await startProxy(upstreams, { settings: { host: { from: 'upstream' } } });
    const client = await connect();
    client.send(POST);
    const connection = await origin.connection();
    const request = await connection.request('Vrypt');
    expect(request).toContain(`POST /two/a HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n`);
    connection.send(OK);
    expect((await client.response()).status).toBe(200);
  });

  test('does not follow once the client has got something', async () => {
    const origins = [await RawOrigin.start(), await RawOrigin.start()];
    const { connect } = await startProxy(origins.map(({ port }) => upstream(port)));
    const client = await connect();
    client.send(GET);
    const connection = await Promise.race(origins.map((origin) => origin.connection()));
    await connection.request();
    connection.send('HTTP/1.1 103 Early Hints\r\n\r\n');
    expect((await client.response()).status).toBe(103);
    connection.reset();
    expect((await client.response()).status).toBe(502);
  });
});

test('an upstream hears of it when the client has gone', async () => {
  const origin = await RawOrigin.start();
  const { connect, failures } = await startProxy(origin.port);
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  client.reset();
  await connection.ended();
  expect(failures).toEqual([]);
});

test('requests beyond the limit wait for a place, and not for ever', async () => {
  const origin = await RawOrigin.start();
  const timeouts = { connectMs: 400, firstByteMs: 5000, idleMs: 5000, keepAliveMs: 5000 };
  const { connect, failures, proxy } = await startProxy(origin.port, { settings: { maxActive: 1, timeouts } });
  const clients = [await connect(), await connect(), await connect()];
  for (const client of clients.slice(0, 2)) client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  connection.send(OK);
  await connection.request();
  expect(origin.count).toBe(1);
  clients[2]?.send(GET);
  expect((await clients[2]?.response())?.status).toBe(503);
  connection.send(OK);
  expect((await clients[0]?.response())?.status).toBe(200);
  expect((await clients[1]?.response())?.status).toBe(200);
  expect(failures).toMatchObject([{ reason: 'busy', outcome: 503 }]);
  expect(proxy.states()[0]?.counters.active).toBe(0);
});

test('a Unix socket is an upstream', async () => {
  const { mkdtempSync, rmSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const folder = mkdtempSync(`${tmpdir()}/proxy-`);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const origin = await RawOrigin.start(`${folder}/origin.sock`);
  const { connect } = await startProxy(`${folder}/origin.sock`);
  const client = await connect();
  client.send(GET);
  const connection = await origin.connection();
  await connection.request();
  connection.send(OK);
  expect((await client.response()).body).toBe('ok');
});

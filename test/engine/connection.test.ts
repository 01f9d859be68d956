import { describe, expect, test } from 'vitest';
import { requestsOf } from '../../src/engine/counters.ts';
import { connectionsBecome, GET, startEngine, TRANSPORTS } from './start-engine.ts';

const CLOSE = 'Connection: close';

describe.each(TRANSPORTS)('on the $transport transport', ({ transport, open }) => {
  test('has a name', () => {
    expect(open().name).toBe(transport);
  });

  test('answers one request after another on one connection', async () => {
    const { connect, counters } = await startEngine(open);
    const client = await connect();
    for (let i = 0; i < 3; i++) {
      const { status, body, head } = await client.send(GET).response();
      expect({ status, body }).toEqual({ status: 200, body: 'Vrypt' });
      expect(head).toContain('Connection: keep-alive\r\nKeep-Alive: timeout=29');
    }
    expect(requestsOf(counters, 0)).toBe(3);
  });

  test('answers a hundred requests that arrive in one piece, at once and in order', async () => {
    const { connect } = await startEngine(open);
    const client = await connect();
    const answers = await client.send(GET.repeat(100)).responses(100);
    expect(answers.every(({ status, body }) => status === 200 && body === 'Vrypt')).toBe(true);
    expect(client.received).toBe('');
  });

  test('answers requests that arrive byte by byte', async () => {
    const { connect } = await startEngine(open);
    const client = await connect();
    const post = 'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a="b"\r\nabc\r\n0\r\nT: x\r\n\r\n';
    for (const byte of (GET + post + GET).split('')) {
      client.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.responses(3)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('keeps an unfinished head after complete requests, and one that outgrows its first buffer', async () => {
    const { connect } = await startEngine(open);
    const client = await connect();
    const long = `GET /${'x'.repeat(3000)} HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(3000)}\r\n\r\n`;
    await client.send(GET + GET + long.slice(0, 10)).responses(2);
    for (let from = 10; from < long.length; from += 500) {
      client.send(long.slice(from, from + 500));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.send(GET).responses(2)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('answers a client that has half-closed, then closes', async () => {
    const { connect, engine } = await startEngine(open);
    const client = await connect();
    client.send(GET + GET).endSending();
    expect(await client.responses(2)).toHaveLength(2);
    expect(await client.end()).toBe('');
    expect({ failure: client.failure, left: engine.connectionCount }).toEqual({ failure: null, left: 0 });
  });

  test.each(['GET / HT', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc'])(
    'refuses with 400 if the client half-closes within a request, and closes at once: %j',
    async (start) => {
      const { connect, engine } = await startEngine(open);
      const client = await connect();
      client.send(start).endSending();
      const { status, head } = await client.response();
      expect(status).toBe(400);
      expect(head).toContain(CLOSE);
      await client.end();
      expect(engine.connectionCount).toBe(0);
    },
  );

  test('invites content only from a client that waits to be invited', async () => {
    const { connect } = await startEngine(open);
    const client = await connect();
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n';
    expect((await client.send(head).response()).head).toBe('HTTP/1.1 100 Continue');
    expect((await client.send('abc').response()).status).toBe(200);
    expect((await client.send(`${head}abc`).response()).status).toBe(200);
  });

  test('closes after an answer to Connection: close, and drops what follows', async () => {
    const { connect } = await startEngine(open);
    const client = await connect();
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET}`);
    expect((await client.response()).head).toContain(CLOSE);
    expect(await client.end()).toBe('');
    expect(client.failure).toBe(null);
  });

  test('says Connection: close in the last answer that --max-requests allows', async () => {
    const { connect } = await startEngine(open, { limits: { maxRequests: 3 } });
    const client = await connect();
    const answers = await client.send(GET.repeat(5)).responses(3);
    expect(answers.map(({ head }) => head.includes(CLOSE))).toEqual([false, false, true]);
    expect(await client.end()).toBe('');
  });

  test('lets a client read its refusal while it is still sending: no reset destroys the answer', async () => {
    const { connect } = await startEngine(open);
    const client = await connect();
    client.send('BAD\r\n\r\n');
    for (let i = 0; i < 64; i++) {
      client.send(Buffer.alloc(64 * 1024, 'x'));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { status, head } = await client.response();
    expect(status).toBe(400);
    expect(head).toContain(CLOSE);
    await client.end();
    expect(client.failure).toBe(null);
  });

  test('forgets a connection that the client resets', async () => {
    const { connect, engine } = await startEngine(open);
    const client = await connect();
    await client.send(GET).response();
    client.reset();
    await connectionsBecome(engine, 0);
  });

  test('refuses with 503 beyond --max-connections, and serves again when others have left', async () => {
    const { connect, engine } = await startEngine(open, { limits: { maxConnections: 2 } });
    const first = await connect();
    const second = await connect();
    await first.send(GET).response();
    await second.send(GET).response();
    const third = await connect();
    const { status, head } = await third.response();
    expect(status).toBe(503);
    expect(head).toContain(CLOSE);
    await third.end();
    first.close();
    third.close();
    await connectionsBecome(engine, 1);
    const fourth = await connect();
    expect((await fourth.send(GET).response()).status).toBe(200);
  });

  test('closes connections beyond those that it can refuse, without an answer', async () => {
    const { connect, engine } = await startEngine(open, { limits: { maxConnections: 1 } });
    await (await connect()).send(GET).response();
    const refused = await Promise.all(Array.from({ length: 32 }, () => connect()));
    for (const client of refused) expect((await client.response()).status).toBe(503);
    const last = await connect();
    expect(await last.end()).toBe('');
    expect(engine.connectionCount).toBe(33);
  });
});

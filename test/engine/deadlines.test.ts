import { describe, test } from 'vitest';
import type { Handler } from '../../src/engine/call.ts';
import { textAnswer } from '../../src/http/answer.ts';
import { connectionsBecome, GET, startEngine, TRANSPORTS } from './start-engine.ts';

/** More than the kernel buffers for a client that does not read. */
const LARGE = textAnswer('x'.repeat(16 * 1024 * 1024));

// The clock ticks four times a second, so these wait; they run concurrently.
describe.concurrent.each(TRANSPORTS)('on the $transport transport', ({ open }) => {
  test('refuses a head that takes too long with 408, however busily it dribbles', async (context) => {
    const { expect } = context;
    const { connect, engine } = await startEngine(open, { ...context, limits: { headerTimeoutMs: 300 } });
    const client = await connect();
    const timer = setInterval(() => client.send('x'), 20);
    context.onTestFinished(() => clearInterval(timer));
    const { status, head } = await client.send('GET /').response();
    clearInterval(timer);
    expect(status).toBe(408);
    expect(head).toContain('Connection: close');
    await client.end();
    client.close();
    await connectionsBecome(engine, 0);
  });

  test('refuses a request whose content takes too long with 408', async (context) => {
    const { expect } = context;
    const { connect } = await startEngine(open, { ...context, limits: { requestTimeoutMs: 300 } });
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc');
    expect((await client.response()).status).toBe(408);
  });

  test('refuses a request whose content stops arriving with 408, but not one that goes on', async (context) => {
    const { expect } = context;
    const { connect } = await startEngine(open, { ...context, limits: { bodyTimeoutMs: 600 } });
    const [stalled, steady] = [await connect(), await connect()];
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n';
    stalled.send(`${head}abc`);
    steady.send(head);
    for (let i = 0; i < 20; i++) {
      steady.send('x');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await steady.response()).status).toBe(200);
    const { status, body } = await stalled.response();
    expect({ status, body }).toEqual({ status: 408, body: '408 Request Timeout: the content stopped arriving\n' });
  });

  test('closes an idle connection without an answer', async (context) => {
    const { expect } = context;
    const { connect } = await startEngine(open, { ...context, limits: { idleTimeoutMs: 300 } });
    const silent = await connect();
    const served = await connect();
    await served.send(GET).response();
    expect([await silent.end(), await served.end()]).toEqual(['', '']);
    expect([silent.failure, served.failure]).toEqual([null, null]);
  });

  test('a request keeps a connection from being idle', async (context) => {
    const { expect } = context;
    const { connect } = await startEngine(open, { ...context, limits: { idleTimeoutMs: 800 } });
    const client = await connect();
    const start = performance.now();
    while (performance.now() - start < 2000) {
      expect((await client.send(GET).response()).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  test('cuts off a client that takes nothing of its answer', async (context) => {
    const { expect } = context;
    const handler: Handler = () => LARGE;
    const { connect, engine } = await startEngine(open, { ...context, handler, limits: { sendTimeoutMs: 300 } });
    const client = await connect({ isPaused: true });
    client.send(GET);
    await connectionsBecome(engine, 1);
    await connectionsBecome(engine, 0);
    client.socket.resume();
    await client.end();
    expect(client.receivedBytes).toBeLessThan(16 * 1024 * 1024);
  });

  test('does not cut off a client that takes its answer slowly', async (context) => {
    const { expect } = context;
    const handler: Handler = () => LARGE;
    const { connect } = await startEngine(open, { ...context, handler, limits: { sendTimeoutMs: 1500 } });
    const client = await connect();
    // A pause of 150 ms after each MiB: 2.4 s in all, longer than the timeout, but never that long without progress.
    let taken = 0;
    client.socket.on('data', (bytes: Buffer) => {
      taken += bytes.length;
      if (taken < 1024 * 1024) return;
      taken = 0;
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 150);
    });
    const { body } = await client.send(GET).response();
    expect(body).toHaveLength(16 * 1024 * 1024);
  });

  test('gives up on a client that neither sends nor closes after its last answer', async (context) => {
    const { expect } = context;
    const { connect, engine } = await startEngine(open, context);
    const client = await connect();
    await client.send('BAD\r\n\r\n').response();
    await client.end();
    expect(engine.connectionCount).toBe(1);
    await connectionsBecome(engine, 0);
  });
});

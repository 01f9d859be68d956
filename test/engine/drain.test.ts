import { describe, test } from 'vitest';
import type { Handler } from '../../src/engine/call.ts';
import type { Transport } from '../../src/engine/transport.ts';
import { type Answer, textAnswer } from '../../src/http/answer.ts';
import { RawClient } from './raw-client.ts';
import { connectionsBecome, GET, type OpenTransport, startEngine, TRANSPORTS } from './start-engine.ts';

const CLOSE = 'Connection: close';
/** More than the kernel buffers for a client that does not read. */
const LARGE = textAnswer('x'.repeat(16 * 1024 * 1024));

/** The same transport, but its accept queue counts as empty when `whenEmpty` says so. */
function withQueue(open: OpenTransport, whenEmpty: () => Promise<void>): OpenTransport {
  const transport = open();
  const listen: Transport['listen'] = async (options, onSocket) => {
    const listener = await transport.listen(options, onSocket);
    return { ...listener, drain: () => whenEmpty().then(() => listener.close()) };
  };
  return () => ({ ...transport, listen });
}

// These wait for grace periods and deadlines; they run concurrently.
describe.concurrent.each(TRANSPORTS)('a drain on the $transport transport', ({ open }) => {
  test('answers a request in progress, says Connection: close, and ends', async (context) => {
    const { expect } = context;
    const { connect, engine } = await startEngine(open, context);
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    await connectionsBecome(engine, 1);
    const drained = engine.drain(10_000);
    client.send('def');
    const { status, head } = await client.response();
    expect(status).toBe(200);
    expect(head).toContain(CLOSE);
    expect(await client.end()).toBe('');
    client.close();
    await drained;
    expect(engine.connectionCount).toBe(0);
  });

  test('says Connection: close only in the last of several pipelined answers', async (context) => {
    const { expect } = context;
    const { connect, engine } = await startEngine(open, context);
    const client = await connect();
    await client.send(GET).response();
    const drained = engine.drain(10_000);
    const answers = await client.send(GET.repeat(5)).responses(5);
    expect(answers.map(({ head }) => head.includes(CLOSE))).toEqual([false, false, false, false, true]);
    client.close();
    await drained;
  });

  test('waits for an asynchronous handler', async (context) => {
    const { expect } = context;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const called = Promise.withResolvers<void>();
    const handler: Handler = () => {
      called.resolve();
      return promise;
    };
    const { connect, engine } = await startEngine(open, { ...context, handler });
    const client = await connect();
    client.send(GET);
    await called.promise;
    const drained = engine.drain(10_000);
    setTimeout(() => resolve(textAnswer('later')), 100);
    const { body, head } = await client.response();
    expect(body).toBe('later');
    expect(head).toContain(CLOSE);
    client.close();
    await drained;
  });

  test('closes idle connections with FIN, even those that never sent anything', async (context) => {
    const { expect } = context;
    const { connect, engine } = await startEngine(open, context);
    const [silent, served] = [await connect(), await connect()];
    await served.send(GET).response();
    await connectionsBecome(engine, 2);
    const drained = engine.drain(10_000);
    expect([await silent.end(), await served.end()]).toEqual(['', '']);
    expect([silent.failure, served.failure]).toEqual([null, null]);
    silent.close();
    served.close();
    await drained;
  });

  test('accepts no new connections', async (context) => {
    const { expect } = context;
    const { engine, port } = await startEngine(open, context);
    await engine.drain(10_000);
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
  });

  test('keeps accepting once announced, and every answer says close', async (context) => {
    const { expect } = context;
    const { connect, engine } = await startEngine(open, context);
    const before = await connect();
    engine.announceDrain();
    const after = await connect();
    for (const client of [before, after]) {
      const { status, head } = await client.send(GET).response();
      expect(status).toBe(200);
      expect(head).toContain('Connection: close');
      expect(await client.end()).toBe('');
    }
    expect(engine.isDraining).toBe(false);
  });

  test('answers clients that were connected but not yet accepted', async (context) => {
    const { expect } = context;
    const { connect, engine } = await startEngine(open, context);
    const connecting = Array.from({ length: 50 }, () => connect());
    const drained = connecting.at(-1)?.then(() => engine.drain(10_000));
    const clients = await Promise.all(connecting);
    const answers = await Promise.all(clients.map((client) => client.send(GET).response()));
    expect(answers.every(({ body }) => body === 'Vrypt')).toBe(true);
    for (const client of clients) client.close();
    await drained;
  });

  test('cuts off what is left at its deadline', async (context) => {
    const { expect } = context;
    const handler: Handler = () => new Promise<Answer>(() => {});
    const { connect, engine } = await startEngine(open, { ...context, handler });
    const [stuck, halfway] = [await connect(), await connect()];
    stuck.send(GET);
    halfway.send('GET /');
    await connectionsBecome(engine, 2);
    await engine.drain(400);
    expect(engine.connectionCount).toBe(0);
    expect([await stuck.end(), await halfway.end()]).toEqual(['', '']);
  });

  test('counts its deadline from the beginning, however long the accept queue takes', async (context) => {
    const { expect } = context;
    const { connect, engine } = await startEngine(
      withQueue(open, () => connectionsBecome(engine, 0)),
      context,
    );
    const client = await connect();
    client.send('GET /');
    await connectionsBecome(engine, 1);
    await engine.drain(300);
    expect(await client.end()).toBe('');
  });

  test('closes a connection that becomes idle during it, after an answer without Connection: close', async (context) => {
    const { expect } = context;
    const asked = Promise.withResolvers<void>();
    const handler: Handler = () => {
      asked.resolve();
      return LARGE;
    };
    const { connect, engine } = await startEngine(
      withQueue(open, () => Promise.resolve()),
      { ...context, handler },
    );
    const client = await connect({ isPaused: true });
    client.send(GET);
    await asked.promise;
    const drained = engine.drain(60_000);
    await new Promise((resolve) => setImmediate(resolve));
    client.socket.resume();
    const { head } = await client.response();
    expect(head).not.toContain(CLOSE);
    expect(await client.end()).toBe('');
    client.close();
    await drained;
  });

  test('may be requested twice, and both end', async (context) => {
    const { connect, engine } = await startEngine(open, context);
    const client = await connect();
    await client.send(GET).response();
    const first = engine.drain(10_000);
    const second = engine.drain(10_000);
    client.close();
    await Promise.all([first, second]);
  });
});

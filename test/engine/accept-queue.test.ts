import { describe, expect, onTestFinished, test } from 'vitest';
import { AcceptQueue } from '../../src/engine/accept-queue.ts';
import { createCounters } from '../../src/engine/counters.ts';
import { Engine } from '../../src/engine/engine.ts';
import { openHandleTransport } from '../../src/engine/handle-transport.ts';
import type { Transport } from '../../src/engine/transport.ts';
import { vrypt } from '../app.ts';
import { LIMITS } from './limits.ts';
import { RawClient } from './raw-client.ts';
import { connectionsBecome, GET, startEngine, TRANSPORTS } from './start-engine.ts';

/** One of several engines on the same port. */
async function join(transport: Transport, address: string, port: number): Promise<{ engine: Engine; port: number }> {
  const report = () => {};
  const counters = createCounters(1);
  const engine = new Engine({ handler: vrypt, limits: LIMITS, transport, counters, worker: 0, report });
  const listener = await engine.listen({ address, port, backlog: 512, reusePort: true });
  onTestFinished(() => engine.close());
  return { engine, port: listener.port };
}

function openFast(): Transport {
  return openHandleTransport() as Transport;
}

describe.each(TRANSPORTS)('a listener that is drained, on the $transport transport', ({ open }) => {
  test('does not hand its own connections to the engine', async () => {
    const { engine, counters, errors } = await startEngine(open);
    await engine.drain(1000);
    expect({ connections: engine.connectionCount, counted: counters[0], errors }).toEqual({
      connections: 0,
      counted: 0,
      errors: [],
    });
  });

  test('may be closed while it drains', async () => {
    const { engine, port } = await startEngine(open);
    const drained = engine.drain(1000);
    engine.close();
    await drained;
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
  });

  test('accepts what waits even if its time was over before it could run', async () => {
    const { connect, listener } = await startEngine(open);
    const connecting = Array.from({ length: 50 }, () => connect());
    const drained = connecting.at(-1)?.then(() => listener.drain(0));
    const clients = await Promise.all(connecting);
    const answers = await Promise.all(clients.map((client) => client.send(GET).response()));
    expect(answers.every(({ body }) => body === 'Vrypt')).toBe(true);
    await drained;
  });

  test('closes in time although clients keep coming', async () => {
    const { engine, port } = await startEngine(open);
    let isOver = false;
    const flood = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const client = await RawClient.connect(port).catch(() => null);
        client?.close();
      }
    });
    await engine.drain(2000);
    isOver = true;
    await Promise.all(flood);
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
  });
});

test('a listener is drained even if no descriptors are left', async () => {
  let isClosed = false;
  const listening = {
    listen: () => 0,
    close: () => {
      isClosed = true;
    },
  };
  const queue = new AcceptQueue(listening, () => null, '127.0.0.1', 512);
  await queue.drain(1000);
  expect(isClosed).toBe(true);
});

test.each(['127.0.0.1', '0.0.0.0', '::', '::1'])(
  'one of four listeners on %s leaves without a reset',
  async (address) => {
    const first = await join(openFast(), address, 0);
    const { port } = first;
    const others = await Promise.all([1, 2, 3].map(() => join(openFast(), address, port)));
    const host = address.includes(':') ? '::1' : '127.0.0.1';
    let isOver = false;
    let answers = 0;
    const failures: unknown[] = [];
    const clients = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        try {
          const client = await RawClient.connect(port, { host });
          await client.send(GET).response();
          answers++;
          client.close();
        } catch (error) {
          failures.push(error);
        }
      }
    });
    while (answers < 50) await new Promise((resolve) => setImmediate(resolve));
    await first.engine.drain(5000);
    const before = answers;
    while (answers < before + 50) await new Promise((resolve) => setImmediate(resolve));
    isOver = true;
    await Promise.all(clients);
    for (const { engine } of others) await connectionsBecome(engine, 0);
    expect(failures).toEqual([]);
  },
);

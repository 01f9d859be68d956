import { once } from 'node:events';
import { getHeapStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { VRYPT } from '../../src/app/source.ts';
import type { FromThread } from '../../src/workers/messages.ts';
import { startSupervisor } from '../../src/workers/supervisor.ts';
import { withTrimmingFlags } from '../../src/workers/trimming.ts';
import { LIMITS } from '../engine/limits.ts';
import { RawClient } from '../engine/raw-client.ts';
import { GET } from '../engine/start-engine.ts';
import { threads } from './capture-threads.ts';

vi.mock('node:worker_threads', async (original) => {
  const { capturing } = await import('./capture-threads.ts');
  return capturing(original);
});

const TRIMMER = `
  const { parentPort } = require('node:worker_threads');
  const { getHeapStatistics } = require('node:v8');
  import(${JSON.stringify(new URL('../../src/workers/trimming.ts', import.meta.url).href)}).then(({ trimHeap }) => {
    const before = getHeapStatistics().total_physical_size;
    for (let count = 0; count < 20; count++) trimHeap();
    parentPort.postMessage(before - getHeapStatistics().total_physical_size);
  });`;

test('threads that trim their heaps at the same time all return memory', async () => {
  const given = await withTrimmingFlags(async () => {
    const trimmers = Array.from({ length: 4 }, () => new Worker(TRIMMER, { eval: true }));
    return Promise.all(trimmers.map(async (thread) => (await once(thread, 'message'))[0] as number));
  });
  expect(Math.min(...given)).toBeGreaterThan(0.02 * getHeapStatistics().total_physical_size);
});

async function start(workers: number) {
  threads.length = 0;
  const options = {
    endpoint: { kind: 'tcp' as const, address: '127.0.0.1', port: 0 },
    workers,
    sharesPort: false,
    limits: LIMITS,
  };
  const supervisor = await startSupervisor({ app: VRYPT, transport: 'handle', ...options });
  onTestFinished(async () => {
    await supervisor.drain(0);
  });
  return supervisor;
}

/** What each thread reports after trimming. */
function trimmed(): Promise<boolean[]> {
  return Promise.all(
    threads.map(async (thread) => {
      for (;;) {
        const [message] = (await once(thread, 'message')) as [FromThread];
        if (message.type === 'trimmed') return message.isDone;
      }
    }),
  );
}

const isGcKnown = () => runInNewContext('typeof gc') !== 'undefined';

test('workers trim once they are idle, and V8 has its usual flags afterwards', async () => {
  await start(3);
  expect(isGcKnown()).toBe(false);
  expect(await trimmed()).toEqual([true, true]);
  await vi.waitFor(() => expect(isGcKnown()).toBe(false));
});

test('a worker with connections does not trim, and goes on serving', async () => {
  const supervisor = await start(2);
  const clients: RawClient[] = [];
  while (supervisor.requests()[1] === 0) {
    const client = await RawClient.connect(supervisor.port);
    onTestFinished(() => client.close());
    await client.send(GET).response();
    clients.push(client);
  }
  expect(await trimmed()).toEqual([false]);
  for (const client of clients) expect((await client.send(GET).response()).status).toBe(200);
  await vi.waitFor(() => expect(isGcKnown()).toBe(false));
});

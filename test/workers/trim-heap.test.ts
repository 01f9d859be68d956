import { once } from 'node:events';
import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import '../../src/workers/thread.ts';

const TRIMMER = `
  const { parentPort } = require('node:worker_threads');
  const { getHeapStatistics } = require('node:v8');
  import(${JSON.stringify(new URL('../../src/workers/trim-heap.ts', import.meta.url).href)}).then(({ trimHeap }) => {
    const before = getHeapStatistics().total_physical_size;
    for (let count = 0; count < 20; count++) trimHeap();
    parentPort.postMessage(before - getHeapStatistics().total_physical_size);
  });`;

test('threads trim their heaps at the same time, each gives memory back', async () => {
  const threads = Array.from({ length: 4 }, () => new Worker(TRIMMER, { eval: true }));
  const given = await Promise.all(threads.map(async (thread) => (await once(thread, 'message'))[0] as number));
  expect(Math.min(...given)).toBeGreaterThan(0.02 * getHeapStatistics().total_physical_size);
});

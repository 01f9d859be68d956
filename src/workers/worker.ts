/** A worker thread's entry: serves until it is told to drain, then ends. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Engine } from '../engine/engine.ts';
import { vrypt } from '../handlers/vrypt.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';
import { serve } from './serve.ts';

/** From listening to the first try at trimming the heap, and between tries. */
const FIRST_TRIM_MS = 1000;
const NEXT_TRIM_MS = 30_000;

async function run(): Promise<void> {
  const { options, counters, worker } = workerData as ThreadData;
  try {
    const { engine } = await serve(options, counters, worker, vrypt);
    parentPort?.once('message', async (message: ToThread) => {
      await engine.drain(message.timeoutMs);
      tell({ type: 'drained' });
    });
    tell({ type: 'listening' });
    trimHeapWhenIdle(engine, FIRST_TRIM_MS);
  } catch (error) {
    const { code = 'ERROR', message } = error as NodeJS.ErrnoException;
    tell({ type: 'failed', code, message });
  }
}

/** Once, as soon as nobody is connected: it would hold up a request. Worker 0 has too little to give. */
function trimHeapWhenIdle(engine: Engine, afterMs: number): void {
  const trim = async () => {
    if (engine.isDraining) return;
    if (engine.connectionCount > 0) trimHeapWhenIdle(engine, NEXT_TRIM_MS);
    else (await import('./trim-heap.ts')).trimHeap();
  };
  setTimeout(trim, afterMs).unref();
}

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}

void run();

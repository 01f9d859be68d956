/** A worker thread's entry: serves until it is told to drain, then ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { openTransport } from '../engine/transport.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';
import { serve } from './serve.ts';
import type { WebWorker } from './serve-web.ts';
import type { WebSource } from './worker-app.ts';
import type { WorkerEngine } from './worker-engine.ts';

async function run(): Promise<void> {
  const { options, counters, worker } = workerData as ThreadData;
  try {
    const { engine } = await serve(await openTransport(options.transport), options, counters, worker);
    parentPort?.on('message', async (message: ToThread) => {
      switch (message.type) {
        case 'announceDrain':
          engine.announceDrain();
          break;
        case 'drain':
          await engine.drain(message.timeoutMs);
          tell({ type: 'drained' });
          break;
        case 'take':
          tell({ type: 'taken', failure: await take(engine, message.source) });
          break;
        case 'trim': {
          const { trimIfIdle } = await import('./trimming.ts');
          tell({ type: 'trimmed', isDone: trimIfIdle(engine) });
        }
      }
    });
    tell({ type: 'listening' });
  } catch (error) {
    const { code = 'ERROR', message } = error as NodeJS.ErrnoException;
    tell({ type: 'failed', code, message });
  }
}

async function take(engine: WorkerEngine, source: WebSource): Promise<string | null> {
  try {
    await (engine as WebWorker).take(source);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}

void run();

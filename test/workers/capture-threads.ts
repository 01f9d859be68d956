/** Gives a test access to the threads that the code under test starts; pass it to `vi.mock('node:worker_threads', …)`. */
import type { Worker } from 'node:worker_threads';

export const threads: Worker[] = [];

/** Threads that fail to start as in Node when the system has no more: with the code in the message. */
export const failures: string[] = [];

export async function capturing(original: () => Promise<typeof import('node:worker_threads')>) {
  const module = await original();
  class CapturedWorker extends module.Worker {
    constructor(...parameters: ConstructorParameters<typeof module.Worker>) {
      const failure = failures.shift();
      if (failure !== undefined) throw Object.assign(new Error(failure), { code: 'ERR_WORKER_INIT_FAILED' });
      super(...parameters);
      threads.push(this);
    }
  }
  return { ...module, default: { ...module, Worker: CapturedWorker }, Worker: CapturedWorker };
}

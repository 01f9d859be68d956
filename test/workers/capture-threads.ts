/** Gives a test the threads that the code under test starts; to be passed to `vi.mock('node:worker_threads', …)`. */
import type { Worker } from 'node:worker_threads';

export const threads: Worker[] = [];

export async function capturing(original: () => Promise<typeof import('node:worker_threads')>) {
  const module = await original();
  class CapturedWorker extends module.Worker {
    constructor(...parameters: ConstructorParameters<typeof module.Worker>) {
      super(...parameters);
      threads.push(this);
    }
  }
  return { ...module, default: { ...module, Worker: CapturedWorker }, Worker: CapturedWorker };
}

/** Worker threads of packed files: each gets this loader first. */
import type { Worker, WorkerOptions } from 'node:worker_threads';
import type { Files } from './files.ts';

interface Threads {
  Worker: new (file: string | URL, options?: WorkerOptions) => Worker;
}

/** `source` is the code that starts the module of this path in a thread. */
export function startThreadsFrom(files: Files, threads: Threads, source: (path: string) => string): void {
  const Original = threads.Worker;
  threads.Worker = class Worker extends Original {
    constructor(file: string | URL, options?: WorkerOptions) {
      const path = options?.eval === true ? undefined : files.inside(file);
      if (path === undefined) super(file, options);
      else super(source(path), { ...options, eval: true });
    }
  };
}

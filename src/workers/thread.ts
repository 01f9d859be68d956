/** One worker thread after the other in the same place: when one dies, the next is started. Owns its thread. */
import { Worker } from 'node:worker_threads';
import { forgetWorker } from '../engine/counters.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';
import { reportError } from './report.ts';

/** The worker's code, put here when the program is bundled: an executable has no files to load. */
declare const WORKER_SOURCE: string | undefined;

/** Before a thread is started again; doubles with every death … */
export const FIRST_PAUSE_MS = 50;
/** … up to this … */
const MAX_PAUSE_MS = 5000;
/** … and starts over once a thread has lived this long. */
const HEALTHY_SECONDS = 10;
/** What a thread gets beyond the deadline of a drain to say that it has met it; then it is ended, whatever it does. */
const LATE_MS = 250;

export class Thread {
  readonly #data: ThreadData;
  /** Owned: terminated in drain(), or where it cannot listen. */
  #worker: Worker | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  #restart: NodeJS.Timeout | null = null;
  #onTrimmed: ((isDone: boolean) => void) | null = null;
  #isEnding = false;

  constructor(data: ThreadData) {
    this.#data = data;
  }

  /** Resolves when the thread listens; rejects, with the error's code, when it cannot. Later deaths are mended. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const startedAt = process.uptime();
      const worker = startWorker(this.#data);
      let isListening = false;
      this.#worker = worker;
      worker.on('message', (message: FromThread) => {
        if (message.type === 'listening') {
          isListening = true;
          resolve();
        } else if (message.type === 'failed') {
          reject(Object.assign(new Error(message.message), { code: message.code }));
          void worker.terminate();
        } else if (message.type === 'trimmed') {
          this.#onTrimmed?.(message.isDone);
        }
      });
      worker.on('error', (error) => reportError(this.#data.worker, error));
      worker.on('exit', () => {
        forgetWorker(this.#data.counters, this.#data.worker);
        this.#onTrimmed?.(false);
        if (this.#worker !== worker) return;
        this.#worker = null;
        reject(new Error('the thread ended before it listened'));
        if (isListening && process.uptime() - startedAt > HEALTHY_SECONDS) this.#pauseMs = FIRST_PAUSE_MS;
        if (isListening) this.#startAgain();
      });
    });
  }

  /** Resolves with whether the thread has trimmed its heap: it does not while somebody is connected to it. */
  async trim(): Promise<boolean> {
    const worker = this.#worker;
    if (worker === null || this.#isEnding) return false;
    return new Promise((resolve) => {
      this.#onTrimmed = resolve;
      tell(worker, { type: 'trim' });
    });
  }

  announceDrain(): void {
    if (this.#worker !== null) tell(this.#worker, { type: 'announceDrain' });
  }

  /** Lets the thread answer what it has accepted, for `timeoutMs` at most, and ends it. */
  async drain(timeoutMs: number): Promise<void> {
    this.#isEnding = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === null) return;
    await new Promise<void>((resolve) => {
      worker.on('message', (message: FromThread) => {
        if (message.type === 'drained') resolve();
      });
      worker.once('exit', () => resolve());
      setTimeout(resolve, timeoutMs + LATE_MS).unref();
      tell(worker, { type: 'drain', timeoutMs });
    });
    await worker.terminate();
  }

  #startAgain(): void {
    if (this.#isEnding) return;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    this.#restart = setTimeout(() => {
      this.start().catch((error) => {
        if (this.#isEnding) return;
        reportError(this.#data.worker, error);
        this.#startAgain();
      });
    }, pauseMs);
  }
}

function tell(worker: Worker, message: ToThread): void {
  worker.postMessage(message);
}

function startWorker(workerData: ThreadData): Worker {
  // With stdout and stderr left alone: a thread writes to neither stream, and to join them to ours takes 2 ms.
  const options = {
    workerData,
    argv: [],
    execArgv: [],
    env: {},
    stdout: true,
    stderr: true,
    trackUnmanagedFds: false,
  };
  if (typeof WORKER_SOURCE === 'string') return new Worker(WORKER_SOURCE, { ...options, eval: true });
  return new Worker(new URL('./worker.ts', import.meta.url), options);
}

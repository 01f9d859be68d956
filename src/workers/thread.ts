/** One worker thread after the other in the same place: when one dies, the next is started. Owns its thread. */
import { Worker } from 'node:worker_threads';
import { connectionsOfWorker, cutOffOf, forgetWorker } from '../engine/counters.ts';
import { countThread } from './living-threads.ts';
import { endingTime, type FromThread, type ThreadData, type ToThread } from './messages.ts';
import { reportError } from './report.ts';
import type { WebSource } from './worker-app.ts';
import { workerName } from './worker-name.ts';

/** The worker's code, defined when the program is bundled: an executable has no files to load. */
declare const WORKER_SOURCE: string | undefined;

/** Before a thread is started again; doubles with every death … */
export const FIRST_PAUSE_MS = 50;
/** … up to this … */
const MAX_PAUSE_MS = 5000;
/** … and starts over once a thread has lived this long. */
const HEALTHY_SECONDS = 10;
/** A thread that runs JavaScript ends within milliseconds; one that spins in native code never does, and is left behind. */
const MIN_ENDING_MS = 100;
const MAX_ENDING_MS = 1000;

export class Thread {
  #data: ThreadData;
  /** Owned: terminated in drain(), or if it cannot listen. */
  #worker: Worker | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  #restart: NodeJS.Timeout | null = null;
  #onTrimmed: ((isDone: boolean) => void) | null = null;
  #onTaken: ((failure: string | null) => void) | null = null;
  #isListening = false;
  #isEnding = false;

  constructor(data: ThreadData) {
    this.#data = data;
  }

  /** From 1. */
  get worker(): number {
    return this.#data.worker;
  }

  /** Resolves when the thread listens; rejects, with the error's code, when it cannot. Later deaths are mended. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const startedAt = process.uptime();
      const worker = startWorker(this.#data);
      this.#isListening = false;
      this.#worker = worker;
      worker.on('message', (message: FromThread) => {
        if (message.type === 'listening') {
          this.#isListening = true;
          resolve();
        } else if (message.type === 'failed') {
          reject(Object.assign(new Error(message.message), { code: message.code }));
          void worker.terminate();
        } else if (message.type === 'trimmed') {
          this.#onTrimmed?.(message.isDone);
        } else if (message.type === 'taken') {
          this.#onTaken?.(message.failure);
        }
      });
      worker.on('error', (error) => {
        if (this.#isListening) reportError(this.#data.worker, error);
        else reject(withSystemCode(error));
      });
      worker.on('exit', () => {
        forgetWorker(this.#data.counters, this.#data.worker);
        this.#onTrimmed?.(false);
        this.#onTaken?.(null);
        if (this.#worker !== worker) return;
        this.#worker = null;
        reject(new Error('the thread ended before it listened'));
        if (!this.#isListening) return;
        if (process.uptime() - startedAt > HEALTHY_SECONDS) this.#pauseMs = FIRST_PAUSE_MS;
        this.#startAgain();
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

  /** Serves by this source, also when it is started again. Resolves with why it does not, or null. */
  async take(source: WebSource): Promise<string | null> {
    this.#data = { ...this.#data, options: { ...this.#data.options, app: source } };
    const worker = this.#worker;
    if (worker === null || this.#isEnding) return null;
    return new Promise((resolve) => {
      this.#onTaken = resolve;
      tell(worker, { type: 'take', source });
    });
  }

  announceDrain(): void {
    if (this.#worker !== null) tell(this.#worker, { type: 'announceDrain' });
  }

  /**
   * Lets the thread answer what it has accepted, and ends it, all within `timeoutMs`; one that hangs is left behind then. Resolves with
   * how many connections were cut off: as it says itself, or those that are still open to it.
   */
  async drain(timeoutMs: number): Promise<number> {
    const { counters, worker: index } = this.#data;
    const cutOffBefore = cutOffOf(counters, index);
    this.#isEnding = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    const end = process.uptime() * 1000 + timeoutMs;
    // It may have said already that it listens.
    await new Promise((resolve) => setImmediate(resolve));
    const worker = this.#worker;
    if (worker === null) return 0;
    if (this.#isListening) await untilDrained(worker, timeoutMs);
    // It may be about to.
    const cutOff = Math.max(cutOffOf(counters, index) - cutOffBefore, connectionsOfWorker(counters, index));
    const leftMs = end - process.uptime() * 1000;
    await within(worker.terminate(), Math.min(Math.max(leftMs, MIN_ENDING_MS), MAX_ENDING_MS));
    return cutOff;
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

/** Resolves when the thread has answered what it has accepted, or ends, or time is up. */
function untilDrained(worker: Worker, timeoutMs: number): Promise<void> {
  const endingMs = endingTime(timeoutMs);
  return new Promise((resolve) => {
    worker.on('message', (message: FromThread) => {
      if (message.type === 'drained') resolve();
    });
    worker.once('exit', () => resolve());
    setTimeout(resolve, timeoutMs - endingMs / 2).unref();
    tell(worker, { type: 'drain', timeoutMs: timeoutMs - endingMs });
  });
}

function tell(worker: Worker, message: ToThread): void {
  worker.postMessage(message);
}

function startWorker(workerData: ThreadData): Worker {
  const isProgram = workerData.options.app.kind === 'module';
  const options = {
    workerData,
    name: workerName(workerData.worker),
    argv: [],
    // QUIC has to be asked for in each thread.
    execArgv: hasQuic() ? ['--experimental-quic'] : [],
    env: isProgram ? process.env : {},
    // Not connected: a thread of ours writes to neither stream, and joining them to ours takes 2 ms.
    stdout: !isProgram,
    stderr: !isProgram,
    trackUnmanagedFds: false,
  };
  let worker: Worker;
  try {
    worker =
      typeof WORKER_SOURCE === 'string'
        ? new Worker(WORKER_SOURCE, { ...options, eval: true })
        : new Worker(new URL('./worker.ts', import.meta.url), options);
  } catch (error) {
    throw withSystemCode(error as Error);
  }
  worker.once('exit', countThread());
  return worker;
}

function hasQuic(): boolean {
  return (process.features as { quic?: boolean }).quic === true;
}

/** Node wraps the system's error of a thread that cannot start: its code is the last word of the message. */
function withSystemCode(error: Error): Error {
  const code = /\b(E[A-Z]+)$/.exec(error.message)?.[1];
  return code === undefined ? error : Object.assign(new Error(`a thread cannot be started (${code})`), { code });
}

/** Resolves when the promise does, or after `ms`. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  await Promise.race([promise, new Promise((resolve) => setTimeout(resolve, ms).unref())]);
}

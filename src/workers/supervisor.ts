/**
 * All workers of one server: worker 0 is this thread, the others are threads of their own, and each has its own listener on the
 * same port (SO_REUSEPORT). Starts them, mends them, drains them. Owns the threads and the shared counters.
 */
import { createCounters, requestsOf, type SharedCounters } from '../engine/counters.ts';
import type { Engine } from '../engine/engine.ts';
import { openTransport } from '../engine/transport.ts';
import type { ServeOptions } from './messages.ts';
import { reportError } from './report.ts';
import { serve } from './serve.ts';
import type { Thread } from './thread.ts';

/** Time for the first requests between listening and the start of the threads. */
const BEFORE_THREADS_MS = 3;
/** From listening to the first try at trimming heaps. */
const BEFORE_TRIMMING_MS = 1000;

export interface StartOptions extends ServeOptions {
  /** Number of event loops, at least 1. */
  readonly workers: number;
  /** Joins a server that already listens on the port; otherwise that is an error with the code EADDRINUSE. */
  readonly sharesPort: boolean;
}

/**
 * Starts every worker; resolves when all of them listen. Rejects with the system's error, its `code` set, where the address
 * cannot be had.
 */
export async function startSupervisor(options: StartOptions): Promise<Supervisor> {
  // SO_REUSEPORT would join another server of the same user without a word.
  if (!options.sharesPort && options.port !== 0) {
    const transport = await openTransport(options.transport);
    await transport.assertFree(options.address, options.port);
  }
  const counters = createCounters(options.workers);
  const { engine, listener } = await serve(options, counters, 0);
  // The kernel has chosen the port by now, if it was left to it.
  const { address, port } = listener;
  const { app, limits, transport } = options;
  // What has connected meanwhile is answered before the threads take their 9 ms each of this one.
  if (options.workers > 1) await pause(BEFORE_THREADS_MS);
  const threads =
    options.workers > 1
      ? await createThreads(options.workers, { app, address, port, limits, transport }, counters)
      : [];
  try {
    await Promise.all(threads.map((thread) => thread.start()));
  } catch (error) {
    engine.close();
    await Promise.all(threads.map((thread) => thread.drain(0)));
    throw error;
  }
  // A single worker has too little to give: it starts from the snapshot.
  if (threads.length > 0) setTimeout(() => void trimLater(engine, threads), BEFORE_TRIMMING_MS).unref();
  return new Supervisor(engine, threads, counters, address, port);
}

async function trimLater(engine: Engine, threads: readonly Thread[]): Promise<void> {
  const { trimWhenIdle } = await import('./trimming.ts');
  await trimWhenIdle(engine, threads);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Loads what makes threads only if there are any: it takes 6 ms. */
async function createThreads(workers: number, options: ServeOptions, counters: SharedCounters): Promise<Thread[]> {
  const { Thread } = await import('./thread.ts');
  return Array.from({ length: workers - 1 }, (_, index) => new Thread({ options, counters, worker: index + 1 }));
}

export class Supervisor {
  readonly address: string;
  readonly port: number;
  readonly #engine: Engine;
  readonly #threads: readonly Thread[];
  readonly #counters: SharedCounters;

  constructor(engine: Engine, threads: readonly Thread[], counters: SharedCounters, address: string, port: number) {
    this.#engine = engine;
    this.#threads = threads;
    this.#counters = counters;
    this.address = address;
    this.port = port;
  }

  get workers(): number {
    return this.#threads.length + 1;
  }

  /** Requests answered by each worker so far, modulo 2^32. */
  requests(): number[] {
    return Array.from({ length: this.workers }, (_, worker) => requestsOf(this.#counters, worker));
  }

  /** From now on every answer says "Connection: close"; goes on accepting. */
  announceDrain(): void {
    this.#engine.announceDrain();
    for (const thread of this.#threads) thread.announceDrain();
  }

  /** Answers what has been accepted and ends every worker, within `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    await Promise.all([this.#engine.drain(timeoutMs), ...this.#threads.map((thread) => thread.drain(timeoutMs))]);
  }

  /** A bug of ours outside every request of worker 0: its connections are lost, the server goes on. */
  survive(error: unknown): void {
    reportError(0, error);
    this.#engine.closeConnections();
  }
}

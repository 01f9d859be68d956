/**
 * All workers of one server: worker 0 is this thread, the others are threads of their own, and each has its own listener on the
 * same port (SO_REUSEPORT). Starts them, mends them, drains them. Owns the threads and the shared counters.
 */
import { connectionsOf, createCounters, cutOffOf, requestsOf, type SharedCounters } from '../engine/counters.ts';
import { openTransport } from '../engine/transport.ts';
import { claim } from './claim.ts';
import type { Endpoint, WantedEndpoint } from './endpoint.ts';
import { type Drained, endingTime, type ServeOptions, type Workers } from './messages.ts';
import { reportError } from './report.ts';
import { type Served, serve } from './serve.ts';
import type { WebWorker } from './serve-web.ts';
import { isShortage, startAll } from './start-all.ts';
import type { Thread } from './thread.ts';
import type { WebSource, WorkerApp } from './worker-app.ts';
import type { WorkerEngine } from './worker-engine.ts';

/** Time for the first requests between listening and the start of the threads. */
const BEFORE_THREADS_MS = 3;
/** From listening to the first try at trimming heaps. */
const BEFORE_TRIMMING_MS = 1000;

export interface StartOptions extends Omit<ServeOptions, 'endpoint'> {
  readonly endpoint: WantedEndpoint;
  /** Number of event loops, at least 1; on a Unix socket that cannot be shared there is only one. */
  readonly workers: number;
  /** Joins a server that already listens on the port; otherwise that is an error with the code EADDRINUSE. */
  readonly sharesPort: boolean;
}

/**
 * Starts every worker; resolves when all of them listen, or as many as the system lets us have, or when `stopped` does. Rejects
 * with the system's error, its `code` set, if the address cannot be had.
 */
export async function startSupervisor(
  options: StartOptions,
  stopped: Promise<unknown> = new Promise(() => {}),
): Promise<Supervisor> {
  const counters = createCounters(options.workers);
  const first = await openTransport(options.transport);
  const { engine, listener, app } = await claim(first, options, (endpoint) =>
    serve(first, { ...options, endpoint }, counters, 0),
  );
  // The kernel has chosen the port by now, if it was left to it.
  const { address, port } = listener;
  const { limits, transport } = options;
  // What has connected meanwhile is answered before starting each thread blocks us for 9 ms.
  if (options.workers > 1) await pause(BEFORE_THREADS_MS);
  const shared = options.workers > 1 ? await endpointForAll(listener) : null;
  const all =
    shared === null ? [] : await createThreads(options.workers, { app, endpoint: shared, limits, transport }, counters);
  const { started: threads, failure } = await startAll(all, stopped);
  if (failure !== null && !isShortage(failure)) {
    engine.close();
    await Promise.all(threads.map((thread) => thread.drain(0)));
    throw failure;
  }
  // A single worker has too little to give: it starts from the snapshot.
  if (threads.length > 0) setTimeout(() => void trimLater(engine, threads), BEFORE_TRIMMING_MS).unref();
  return new Supervisor({ engine, threads, counters, app, address, port, shortage: failure?.code ?? null });
}

async function trimLater(engine: WorkerEngine, threads: readonly Thread[]): Promise<void> {
  const { trimWorkers } = await import('./trimming.ts');
  await trimWorkers(
    engine,
    threads.map((thread) => () => thread.trim()),
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Where the other threads listen; null: they cannot. */
async function endpointForAll({ address, port, share }: Served['listener']): Promise<Endpoint | null> {
  // Only a Unix socket has no port.
  if (port !== 0) return { kind: 'tcp', address, port };
  const ticket = (await share?.()) ?? null;
  return ticket === null ? null : { kind: 'unix', path: address, ticket };
}

/** Loads what makes threads only if there are any: it takes 6 ms. */
async function createThreads(workers: number, options: ServeOptions, counters: SharedCounters): Promise<Thread[]> {
  const { Thread } = await import('./thread.ts');
  leaveDeletedFolder();
  return Array.from({ length: workers - 1 }, (_, index) => new Thread({ options, counters, worker: index + 1 }));
}

/** A thread does not start without a working directory. Nothing needs ours by now: files were read, and a Unix socket is bound. */
function leaveDeletedFolder(): void {
  try {
    process.cwd();
  } catch {
    process.chdir('/');
  }
}

interface Parts {
  readonly engine: WorkerEngine;
  readonly threads: readonly Thread[];
  readonly counters: SharedCounters;
  readonly app: WorkerApp;
  readonly address: string;
  readonly port: number;
  readonly shortage: string | null;
}

export class Supervisor implements Workers {
  /** As it was at the start, with the ports that the kernel has chosen. */
  readonly app: WorkerApp;
  readonly address: string;
  readonly port: number;
  /** The system's code for why there are fewer workers than were asked for, or null if there are not. */
  readonly shortage: string | null;
  readonly #engine: WorkerEngine;
  /** Owned: ended in drain(). */
  readonly #threads: readonly Thread[];
  readonly #counters: SharedCounters;

  constructor({ engine, threads, counters, app, address, port, shortage }: Parts) {
    this.app = app;
    this.#engine = engine;
    this.#threads = threads;
    this.#counters = counters;
    this.address = address;
    this.port = port;
    this.shortage = shortage;
  }

  get workers(): number {
    return this.#threads.length + 1;
  }

  /** Connections that are open now. */
  get connections(): number {
    return connectionsOf(this.#counters);
  }

  /** Requests answered by each worker so far, modulo 2^32. */
  requests(): number[] {
    return [0, ...this.#threads.map(({ worker }) => worker)].map((worker) => requestsOf(this.#counters, worker));
  }

  /** From now on every answer says "Connection: close"; goes on accepting. */
  announceDrain(): void {
    this.#engine.announceDrain();
    for (const thread of this.#threads) thread.announceDrain();
  }

  /**
   * Answers what has been accepted and ends every worker, within `timeoutMs`. A thread that hangs is left behind then.
   * Requests are counted from `before` on, a result of `requests()`.
   */
  async drain(timeoutMs: number, before: readonly number[] = this.requests()): Promise<Drained> {
    const { connections } = this;
    const cutOffBefore = cutOffOf(this.#counters, 0);
    const [, ...byThreads] = await Promise.all([
      this.#engine.drain(timeoutMs - endingTime(timeoutMs)),
      ...this.#threads.map((thread) => thread.drain(timeoutMs)),
    ]);
    const cutOff = byThreads.reduce((sum, one) => sum + one, cutOffOf(this.#counters, 0) - cutOffBefore);
    const requests = this.requests().reduce((sum, now, index) => sum + ((now - (before[index] ?? 0)) >>> 0), 0);
    // An engine may count a probe of its accept queue.
    return { connections, requests, cutOff: Math.min(connections, cutOff) };
  }

  /** Threads end with the process. */
  kill(): void {}

  /**
   * All workers serve by this source from now on. Rejects, and nothing has changed, if the first one cannot; resolves with why others
   * do not.
   */
  async take(source: WebSource): Promise<readonly string[]> {
    const taken = await (this.#engine as WebWorker).take(source);
    const failures = await Promise.all(this.#threads.map((thread) => thread.take(taken)));
    return failures.filter((failure) => failure !== null);
  }

  /** A bug of ours outside every request of worker 0: its connections are lost, the server goes on. */
  survive(error: unknown): void {
    reportError(0, error);
    this.#engine.closeConnections();
  }
}

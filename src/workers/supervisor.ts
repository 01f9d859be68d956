/**
 * All workers of one server: worker 0 is this thread, the others are threads of their own, and each has its own listener on the
 * same port (SO_REUSEPORT). Starts them, mends them, drains them. Owns the threads and the shared counters.
 */
import { connectionsOf, createCounters, requestsOf, type SharedCounters } from '../engine/counters.ts';
import type { Engine } from '../engine/engine.ts';
import { removeStaleSocket } from '../engine/stale-socket.ts';
import { openTransport } from '../engine/transport.ts';
import { EVERY_ADDRESS, isFamilyMissing, type WantedEndpoint } from './endpoint.ts';
import { endingTime, type ServeOptions } from './messages.ts';
import { reportError } from './report.ts';
import { type Served, serve } from './serve.ts';
import { withLock } from './start-lock.ts';
import type { Thread } from './thread.ts';

/** Time for the first requests between listening and the start of the threads. */
const BEFORE_THREADS_MS = 3;
/** From listening to the first try at trimming heaps. */
const BEFORE_TRIMMING_MS = 1000;

export interface StartOptions extends Omit<ServeOptions, 'endpoint'> {
  readonly endpoint: WantedEndpoint;
  /** Number of event loops, at least 1; on a Unix socket exactly 1, because the kernel spreads no connections there. */
  readonly workers: number;
  /** Joins a server that already listens on the port; otherwise that is an error with the code EADDRINUSE. */
  readonly sharesPort: boolean;
}

const NEVER = new Promise<never>(() => {});

/** A thread that fails with one of these lacks something of which the others have their share. */
const OUT_OF_RESOURCES = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'ERR_WORKER_OUT_OF_MEMORY']);

/**
 * Starts every worker; resolves when all of them listen, or as many as the system lets us have, or when `stopped` does. Rejects
 * with the system's error, its `code` set, if the address cannot be had.
 */
export async function startSupervisor(options: StartOptions, stopped: Promise<unknown> = NEVER): Promise<Supervisor> {
  const counters = createCounters(options.workers);
  const { engine, listener } = await startFirst(options, counters);
  // The kernel has chosen the port by now, if it was left to it.
  const { address, port } = listener;
  const { app, limits, transport } = options;
  // What has connected meanwhile is answered before starting each thread blocks us for 9 ms.
  if (options.workers > 1) await pause(BEFORE_THREADS_MS);
  const all =
    options.workers > 1
      ? await createThreads(
          options.workers,
          { app, endpoint: { kind: 'tcp', address, port }, limits, transport },
          counters,
        )
      : [];
  const { threads, failure } = await startThreads(all, stopped);
  if (failure !== null && !isShortage(failure)) {
    engine.close();
    await Promise.all(threads.map((thread) => thread.drain(0)));
    throw failure;
  }
  // A single worker has too little to give: it starts from the snapshot.
  if (threads.length > 0) setTimeout(() => void trimLater(engine, threads), BEFORE_TRIMMING_MS).unref();
  return new Supervisor({ engine, threads, counters, address, port, shortage: failure?.code ?? null });
}

/** Worker 0. SO_REUSEPORT would join another server of the same user without a word, so this looks first. */
async function startFirst(options: StartOptions, counters: SharedCounters): Promise<Served> {
  const { endpoint } = options;
  const transport = await openTransport(options.transport);
  if (endpoint.kind === 'unix') {
    return withLock(transport, endpoint.path, async () => {
      await removeStaleSocket(endpoint.path);
      return serve(transport, { ...options, endpoint }, counters, 0);
    });
  }
  const { port } = endpoint;
  const addresses = endpoint.kind === 'tcp' ? [endpoint.address] : EVERY_ADDRESS;
  if (port === 0) return firstOf(addresses, (address) => serveAt(address));
  return withLock(transport, String(port), () =>
    firstOf(addresses, async (address) => {
      if (!options.sharesPort) await transport.assertFree(address, port);
      return serveAt(address);
    }),
  );

  function serveAt(address: string): Promise<Served> {
    return serve(transport, { ...options, endpoint: { kind: 'tcp', address, port } }, counters, 0);
  }
}

/** The first address whose family this machine has. */
async function firstOf<T>(addresses: readonly string[], listen: (address: string) => Promise<T>): Promise<T> {
  for (const address of addresses.slice(0, -1)) {
    try {
      return await listen(address);
    } catch (error) {
      if (!isFamilyMissing(error as NodeJS.ErrnoException)) throw error;
    }
  }
  return listen(addresses.at(-1) as string);
}

interface Started {
  /** Those that listen, or may listen in a moment. */
  readonly threads: readonly Thread[];
  /** Why others do not: a reason that is no shortage before one that is. */
  readonly failure: NodeJS.ErrnoException | null;
}

async function startThreads(all: readonly Thread[], stopped: Promise<unknown>): Promise<Started> {
  let isStopped = false;
  const stop = stopped.then(() => {
    isStopped = true;
  });
  const starts: Promise<NodeJS.ErrnoException | null>[] = [];
  for (const thread of all) {
    starts.push(
      thread.start().then(
        () => null,
        (error) => error,
      ),
    );
    // Each start blocks this thread: signals and requests have their turn in between.
    await new Promise((resolve) => setImmediate(resolve));
    if (isStopped) break;
  }
  const failures = await Promise.race([Promise.all(starts), stop]);
  if (failures === undefined) return { threads: all.slice(0, starts.length), failure: null };
  const isGrave = (failure: NodeJS.ErrnoException | null) => failure !== null && !isShortage(failure);
  return {
    threads: all.filter((_, index) => failures[index] === null),
    failure: failures.find(isGrave) ?? failures.find((failure) => failure !== null) ?? null,
  };
}

function isShortage({ code = '' }: NodeJS.ErrnoException): boolean {
  return OUT_OF_RESOURCES.has(code);
}

async function trimLater(engine: Engine, threads: readonly Thread[]): Promise<void> {
  const { trimWorkers } = await import('./trimming.ts');
  await trimWorkers(
    engine,
    threads.map((thread) => () => thread.trim()),
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Loads what makes threads only if there are any: it takes 6 ms. */
async function createThreads(workers: number, options: ServeOptions, counters: SharedCounters): Promise<Thread[]> {
  const { Thread } = await import('./thread.ts');
  leaveDeletedFolder();
  return Array.from({ length: workers - 1 }, (_, index) => new Thread({ options, counters, worker: index + 1 }));
}

/** A thread does not start without a working directory. Nothing needs ours by now: files were read, and threads share no Unix socket. */
function leaveDeletedFolder(): void {
  try {
    process.cwd();
  } catch {
    process.chdir('/');
  }
}

/** What a drain came to. */
export interface Drained {
  /** Connections that were open when it began. */
  readonly connections: number;
  /** Requests answered since `before`. */
  readonly requests: number;
  /** Connections that were still open at the deadline. */
  readonly cutOff: number;
}

interface Parts {
  readonly engine: Engine;
  readonly threads: readonly Thread[];
  readonly counters: SharedCounters;
  readonly address: string;
  readonly port: number;
  readonly shortage: string | null;
}

export class Supervisor {
  readonly address: string;
  readonly port: number;
  /** The system's code for why there are fewer workers than were asked for, or null if there are not. */
  readonly shortage: string | null;
  readonly #engine: Engine;
  /** Owned: ended in drain(). */
  readonly #threads: readonly Thread[];
  readonly #counters: SharedCounters;

  constructor({ engine, threads, counters, address, port, shortage }: Parts) {
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
    const servingMs = timeoutMs - endingTime(timeoutMs);
    let cutOff = 0;
    // Before the engines' own deadlines, which are set later.
    const deadline = setTimeout(() => {
      // What has come since is the probes of the accept queues, or clients that were in one.
      cutOff = Math.min(connections, this.connections);
    }, servingMs);
    await Promise.all([this.#engine.drain(servingMs), ...this.#threads.map((thread) => thread.drain(timeoutMs))]);
    clearTimeout(deadline);
    const requests = this.requests().reduce((sum, now, index) => sum + ((now - (before[index] ?? 0)) >>> 0), 0);
    return { connections, requests, cutOff };
  }

  /** A bug of ours outside every request of worker 0: its connections are lost, the server goes on. */
  survive(error: unknown): void {
    reportError(0, error);
    this.#engine.closeConnections();
  }
}

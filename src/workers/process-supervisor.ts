/**
 * All workers of one server as processes: this one only manages. Each worker listens on the same port itself (SO_REUSEPORT); on a Unix
 * socket all accept from the same queue. What crashes in one, even in native code, costs only its own connections. Starts them, mends
 * them, drains them. Owns the processes and keeps the address for them.
 */
import { type Reservation, reservePort, reserveUnixSocket } from '../engine/reservation.ts';
import { openTransport, type Transport } from '../engine/transport.ts';
import { FIRST_DESCRIPTOR, startChild } from '../processes/child.ts';
import { Mended } from '../processes/mended.ts';
import { ownCommand } from '../processes/self.ts';
import { claim } from './claim.ts';
import type { Endpoint } from './endpoint.ts';
import {
  type Drained,
  endingTime,
  type FromProcess,
  type ServeOptions,
  type ToProcess,
  WORKER_COMMAND,
  type Workers,
} from './messages.ts';
import { reportError } from './report.ts';
import { isShortage, startAll } from './start-all.ts';
import type { StartOptions } from './supervisor.ts';

/** As `startSupervisor`. */
export async function startProcesses(
  options: StartOptions,
  stopped: Promise<unknown> = new Promise(() => {}),
): Promise<ProcessSupervisor> {
  const transport = await openTransport(options.transport);
  const claimed = await claim(transport, options, (endpoint) => reserve(transport, endpoint));
  const { app, limits } = options;
  // Processes share no counter: each gets its part of what may be open at once.
  const maxConnections = Math.ceil(limits.maxConnections / options.workers);
  const serveOptions = { app, limits: { ...limits, maxConnections }, transport: options.transport };
  const supervisor = new ProcessSupervisor(claimed, serveOptions, options.workers);
  const failure = await supervisor.start(stopped);
  if (failure !== null) {
    supervisor.kill();
    throw failure;
  }
  return supervisor;
}

interface Claimed {
  /** What workers listen on. */
  readonly endpoint: Endpoint;
  /** Passed to each worker. */
  readonly descriptors: readonly number[];
  readonly address: string;
  readonly port: number;
  release(): void;
}

async function reserve(transport: Transport, endpoint: Endpoint): Promise<Claimed> {
  if (endpoint.kind === 'tcp') {
    const { address } = endpoint;
    const { port, release } = await reservePort(transport, address, endpoint.port);
    return { endpoint: { kind: 'tcp', address, port }, descriptors: [], address, port, release };
  }
  if (endpoint.kind === 'unix') {
    const held: Reservation = reserveUnixSocket(endpoint.path);
    return {
      endpoint: { kind: 'descriptors', descriptors: [FIRST_DESCRIPTOR] },
      descriptors: held.descriptor === null ? [] : [held.descriptor],
      address: endpoint.path,
      port: 0,
      release: held.release,
    };
  }
  const { descriptors } = endpoint;
  return {
    endpoint: { kind: 'descriptors', descriptors: descriptors.map((_, index) => FIRST_DESCRIPTOR + index) },
    descriptors,
    address: `descriptor ${descriptors.join(', ')}`,
    port: 0,
    release: () => {},
  };
}

/** What is known of one worker. */
interface Place {
  readonly worker: number;
  readonly process: Mended;
  start(): Promise<void>;
  connections: number;
  /** Answered by the processes that this place has lost. */
  lost: number;
  /** Answered by the present one. */
  requests: number;
  drained: Drained | null;
}

export class ProcessSupervisor implements Workers {
  readonly address: string;
  readonly port: number;
  shortage: string | null = null;
  readonly #claimed: Claimed;
  readonly #options: Omit<ServeOptions, 'endpoint'>;
  /** Owned: ended in drain() or kill(). */
  #places: readonly Place[];
  #isAnnounced = false;

  constructor(claimed: Claimed, options: Omit<ServeOptions, 'endpoint'>, workers: number) {
    this.#claimed = claimed;
    this.#options = options;
    this.address = claimed.address;
    this.port = claimed.port;
    this.#places = Array.from({ length: workers }, (_, worker) => this.#place(worker));
  }

  /** Resolves with why it cannot serve, or null. */
  async start(stopped: Promise<unknown>): Promise<NodeJS.ErrnoException | null> {
    const all = this.#places;
    const { started, failure } = await startAll(all, stopped);
    for (const place of all) if (!started.includes(place)) place.process.kill();
    this.#places = started;
    if (failure === null || (isShortage(failure) && started.length > 0)) {
      this.shortage = failure?.code ?? null;
      return null;
    }
    return failure;
  }

  get workers(): number {
    return this.#places.length;
  }

  get connections(): number {
    return this.#places.reduce((sum, { connections }) => sum + connections, 0);
  }

  requests(): number[] {
    return this.#places.map(({ lost, requests }) => (lost + requests) >>> 0);
  }

  announceDrain(): void {
    this.#isAnnounced = true;
    for (const { process } of this.#places) process.tell({ type: 'announceDrain' } satisfies ToProcess);
  }

  /** Replaces the workers one after the other, without losing a connection: programs are loaded as they are now. */
  async replaceAll(timeoutMs: number): Promise<void> {
    const message: ToProcess = { type: 'drain', timeoutMs };
    for (const { process } of this.#places) await process.replace(message, timeoutMs + endingTime(timeoutMs));
  }

  async drain(timeoutMs: number): Promise<Drained> {
    // The file of a Unix socket goes first: what has connected already is in the workers' queue.
    this.#claimed.release();
    const message: ToProcess = { type: 'drain', timeoutMs: timeoutMs - endingTime(timeoutMs) };
    const open = this.#places.map(({ connections }) => connections);
    await Promise.all(this.#places.map(({ process }) => process.end(message, timeoutMs - endingTime(timeoutMs) / 2)));
    const sum = { connections: 0, requests: 0, cutOff: 0 };
    for (const [index, { drained }] of this.#places.entries()) {
      // One that was killed because it hung has said nothing.
      const left = open[index] ?? 0;
      sum.connections += drained?.connections ?? left;
      sum.requests += drained?.requests ?? 0;
      sum.cutOff += drained?.cutOff ?? left;
    }
    return sum;
  }

  kill(): void {
    this.#claimed.release();
    for (const { process } of this.#places) process.kill();
  }

  /** The manager has no connections. */
  survive(error: unknown): void {
    reportError(0, error);
  }

  #place(worker: number): Place {
    const { descriptors, endpoint } = this.#claimed;
    const command = ownCommand(process.argv[1] ?? '', [WORKER_COMMAND, this.#options.app.kind]);
    const mended = new Mended({
      run: (events) => {
        const running = startChild({ command, env: process.env, descriptors }, events);
        const options: ServeOptions = { ...this.#options, endpoint };
        running.tell({ type: 'serve', options, worker, isAnnounced: this.#isAnnounced } satisfies ToProcess);
        return running;
      },
      onMessage: (message) => {
        const news = message as FromProcess;
        switch (news.type) {
          case 'counts':
            place.connections = news.connections;
            place.requests = news.requests;
            break;
          case 'drained':
            place.connections = 0;
            place.drained = news;
            break;
          case 'news':
            for (const other of this.#places) if (other !== place) other.process.tell(news);
        }
      },
      onGone: () => {
        place.connections = 0;
        place.lost += place.requests;
        place.requests = 0;
      },
      report: (error) => reportError(worker, error),
    });
    const place: Place = {
      worker,
      process: mended,
      start: () => mended.start(),
      connections: 0,
      lost: 0,
      requests: 0,
      drained: null,
    };
    return place;
  }
}

/**
 * One worker's server: its listener, its connections, their deadlines and the way to its end. Knows HTTP only through
 * `connection.ts`.
 */
import { Clock } from './clock.ts';
import { Connection, type ConnectionHost, Phase } from './connection.ts';
import type { Handler } from './handler.ts';
import { type EngineLimits, REFUSED_AT_ONCE } from './limits.ts';
import { Output } from './output.ts';
import type { Link, Listener, ListenOptions, Transport } from './transport.ts';

/** Numbers that all workers of a server share. */
export type SharedCounters = Int32Array<SharedArrayBuffer>;

/** Places in the shared counters: connections of all workers, then a cache line for each worker. */
const ALL_CONNECTIONS = 0;
const WORKER_STRIDE = 16;
const CONNECTIONS_OF_WORKER = 0;
const REQUESTS_OF_WORKER = 1;

export function createCounters(workers: number): SharedCounters {
  return new Int32Array(new SharedArrayBuffer(4 * WORKER_STRIDE * (1 + workers)));
}

/** Requests that a worker has answered, modulo 2^32. */
export function requestsOf(counters: SharedCounters, worker: number): number {
  return (counters[WORKER_STRIDE * (1 + worker) + REQUESTS_OF_WORKER] as number) >>> 0;
}

/** Gives back the connections of a worker that has died. */
export function forgetWorker(counters: SharedCounters, worker: number): void {
  const lost = Atomics.exchange(counters, WORKER_STRIDE * (1 + worker) + CONNECTIONS_OF_WORKER, 0);
  Atomics.sub(counters, ALL_CONNECTIONS, lost);
}

export interface EngineOptions {
  readonly handler: Handler;
  readonly limits: EngineLimits;
  readonly transport: Transport;
  readonly counters: SharedCounters;
  /** This worker's number, from 0. */
  readonly worker: number;
  /** Told of what should not happen: errors thrown by the handler or by us. */
  readonly report: (error: unknown) => void;
}

/** In a drain a connection that has been idle this long is closed; a busy one first gets an answer that says so. */
const DRAIN_GRACE_MS = 500;
/** Longest time for emptying the accept queue; only a machine that hardly lets us run needs it. */
const EMPTYING_MAX_MS = 2000;

export class Engine implements ConnectionHost {
  readonly handler: Handler;
  readonly limits: EngineLimits;
  readonly transport: Transport;
  readonly report: (error: unknown) => void;
  readonly clock = new Clock(() => this.#tick());
  readonly output = new Output();
  idleDeadline = 0;
  isDraining = false;

  readonly #counters: SharedCounters;
  /** This worker's first place in the counters. */
  readonly #place: number;
  readonly #connections: Connection[] = [];
  /** Owned: closed in drain(). */
  #listener: Listener | null = null;
  #whenEmpty: (() => void) | null = null;
  /** As the limits say, and in a drain no longer than its grace. */
  #idleTimeoutMs: number;

  constructor(options: EngineOptions) {
    this.handler = options.handler;
    this.limits = options.limits;
    this.#idleTimeoutMs = options.limits.idleTimeoutMs;
    this.transport = options.transport;
    this.report = options.report;
    this.#counters = options.counters;
    this.#place = WORKER_STRIDE * (1 + options.worker);
  }

  get connectionCount(): number {
    return this.#connections.length;
  }

  async listen(options: ListenOptions): Promise<Listener> {
    this.#listener = await this.transport.listen(options, (link) => this.#accept(link));
    return this.#listener;
  }

  /**
   * Stops accepting, answers what has been accepted, then closes; resolves when the last connection is gone. Connections that
   * are left after `timeoutMs` are cut off.
   */
  async drain(timeoutMs: number): Promise<void> {
    if (this.isDraining) return;
    this.isDraining = true;
    const deadline = setTimeout(() => this.close(), timeoutMs);
    await this.#listener?.drain(Math.min(EMPTYING_MAX_MS, timeoutMs / 4));
    this.#listener = null;
    this.#idleTimeoutMs = Math.min(this.#idleTimeoutMs, DRAIN_GRACE_MS, timeoutMs / 2);
    this.#setIdleDeadline();
    for (const connection of this.#connections) {
      if (connection.phase === Phase.idle) connection.deadline = Math.min(connection.deadline, this.idleDeadline);
    }
    if (this.#connections.length > 0) {
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve;
      });
    }
    clearTimeout(deadline);
  }

  /** Cuts all connections off, and listens on. */
  closeConnections(): void {
    while (this.#connections.length > 0) this.#connections.at(-1)?.close();
  }

  /** Cuts everything off at once. */
  close(): void {
    this.isDraining = true;
    this.#listener?.close();
    this.#listener = null;
    this.closeConnections();
    this.clock.stop();
  }

  countAnswer(): void {
    // One writer per place, and a reader that wants no more than a rate: no need for Atomics.
    (this.#counters[this.#place + REQUESTS_OF_WORKER] as number)++;
  }

  forget(connection: Connection): void {
    const last = this.#connections.pop() as Connection;
    if (last !== connection) {
      this.#connections[connection.index] = last;
      last.index = connection.index;
    }
    this.#count(-1);
    if (this.#connections.length === 0) this.#whenEmpty?.();
  }

  #accept(link: Link): void {
    const { maxConnections } = this.limits;
    const others = Atomics.load(this.#counters, ALL_CONNECTIONS);
    if (others >= maxConnections + REFUSED_AT_ONCE) {
      this.transport.destroy(link);
      return;
    }
    this.#count(1);
    if (this.#connections.length === 0) {
      this.clock.wake();
      this.#setIdleDeadline();
    }
    const connection = new Connection(this, link);
    connection.index = this.#connections.length;
    this.#connections.push(connection);
    this.transport.attach(link, connection);
    if (others >= maxConnections) connection.refuse('tooManyConnections');
  }

  #count(change: 1 | -1): void {
    Atomics.add(this.#counters, ALL_CONNECTIONS, change);
    Atomics.add(this.#counters, this.#place + CONNECTIONS_OF_WORKER, change);
  }

  #setIdleDeadline(): void {
    this.idleDeadline = this.clock.now + this.#idleTimeoutMs;
  }

  #tick(): boolean {
    const { now } = this.clock;
    this.#setIdleDeadline();
    const connections = this.#connections;
    // Backwards: a connection that closes is replaced by the last one, which has been looked at.
    for (let i = connections.length - 1; i >= 0; i--) {
      const connection = connections[i] as Connection;
      if (connection.deadline <= now) connection.onDeadline();
    }
    return connections.length > 0;
  }
}

/**
 * One worker's server: its listeners, its connections, their deadlines and its end. Knows HTTP only through `connection.ts` and
 * `exchange.ts`.
 */
import type { Buffer } from 'node:buffer';
import { keepAliveFields } from '../http/reply.ts';
import type { AnswerEnd, Call, Handler } from './call.ts';
import { type Clock, type MakeClock, SystemClock } from './clock.ts';
import { openHttp1 } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import { type SharedCounters, WorkerCounters } from './counters.ts';
import { Exchange, type ExchangeHost, Responding } from './exchange.ts';
import type { TakeOver } from './hand-over.ts';
import { type EngineLimits, REFUSED_AT_ONCE } from './limits.ts';
import type { LiveConnection, OpenConnection, OpenedConnection, OpenHttp2 } from './live-connection.ts';
import { Output } from './output.ts';
import { RequestView } from './request-view.ts';
import type { Listener, ListenOptions, Transport, TransportSocket } from './transport.ts';

export interface EngineOptions {
  readonly handler: Handler;
  readonly limits: EngineLimits;
  readonly transport: Transport;
  readonly counters: SharedCounters;
  /** This worker's number, from 0. */
  readonly worker: number;
  /** Told of what should not happen: errors thrown by the handler or by us. */
  readonly report: (error: unknown) => void;
  /** What handlers see as `state`. */
  readonly state?: unknown;
  /** By default the system's. */
  readonly makeClock?: MakeClock;
  /** What handlers are called with; by default a plain `RequestView`. */
  readonly makeView?: () => RequestView;
  /** Told of every answer. */
  readonly done?: (call: Call, end: AnswerEnd) => void;
  /** For clients that begin with its preface, or choose it by ALPN. By default HTTP/2 is not spoken. */
  readonly openHttp2?: OpenHttp2 | null;
}

/** In the order in which an engine passes through them. */
const Stage = {
  serving: 0,
  /** Still accepting, but answers say "Connection: close". */
  announced: 1,
  /** No longer accepting; what has been accepted is answered. */
  draining: 2,
  closed: 3,
} as const;
type StageValue = (typeof Stage)[keyof typeof Stage];

/** In a drain a connection that has been idle this long is closed; a busy one first gets an answer that says so. */
const DRAIN_GRACE_MS = 500;
/** Longest time for emptying the accept queue; only a machine that hardly lets us run needs it. */
const EMPTYING_MAX_MS = 2000;
/** Exchanges kept for reuse; one serves all connections whose requests arrive whole. */
const SPARE_EXCHANGES = 64;

export class Engine implements ConnectionHost {
  handler: Handler;
  limits: EngineLimits;
  readonly transport: Transport;
  readonly report: (error: unknown) => void;
  readonly state: unknown;
  done: ((call: Call, end: AnswerEnd) => void) | null;
  readonly clock: Clock;
  readonly output = new Output();
  idleDeadline = 0;

  readonly #counters: WorkerCounters;
  readonly #connections: LiveConnection[] = [];
  /** Work that a drain waits for. */
  readonly #work = new Set<Promise<unknown>>();
  /** Called when a drain begins. */
  readonly #drainListeners = new Set<() => void>();
  readonly #tickListeners = new Set<(now: number) => void>();
  readonly makeView: () => RequestView;
  readonly openHttp2: OpenHttp2 | null;
  readonly #spareExchanges: Exchange[] = [];
  /** Owned: closed in drain() or close(). */
  #listeners: Listener[] = [];
  #stage: StageValue = Stage.serving;
  #whenEmpty: (() => void) | null = null;
  #whenClosed: (() => void) | null = null;
  /** As the limits say, and in a drain no longer than its grace. */
  #idleTimeoutMs: number;
  /** A field line of every answer, or nothing. */
  #altSvc = '';

  constructor(options: EngineOptions) {
    this.handler = options.handler;
    this.limits = options.limits;
    this.#idleTimeoutMs = options.limits.idleTimeoutMs;
    this.transport = options.transport;
    this.report = options.report;
    this.state = options.state;
    this.done = options.done ?? null;
    this.openHttp2 = options.openHttp2 ?? null;
    this.makeView = options.makeView ?? (() => new RequestView());
    const keepAlive = this.#keepAliveFields();
    const onTick = () => this.#tick();
    this.clock = options.makeClock?.(keepAlive, onTick) ?? new SystemClock(keepAlive, onTick);
    this.#counters = new WorkerCounters(options.counters, options.worker);
  }

  get connectionCount(): number {
    return this.#connections.length;
  }

  /** Answers say that the connection closes, because the server is about to end. */
  get isClosing(): boolean {
    return this.#stage !== Stage.serving;
  }

  get #isClosed(): boolean {
    return this.#stage === Stage.closed;
  }

  /** No longer accepting. */
  get isDraining(): boolean {
    return this.#stage === Stage.draining || this.#stage === Stage.closed;
  }

  /** As often as there are addresses. `open`: what is spoken first on the connections; by default HTTP/1. */
  async listen(options: ListenOptions, open: OpenConnection = openHttp1): Promise<Listener> {
    const listener = await this.transport.listen(options, (socket) => this.#accept(socket, open));
    this.#listeners.push(listener);
    return listener;
  }

  /** A listener whose connections come by `adopt`. */
  addListener(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Says so in every answer after which its connection stays open (RFC 7838 §3). */
  advertise(altSvc: string): void {
    this.#altSvc = `Alt-Svc: ${altSvc}\r\n`;
    this.#shareFields();
  }

  /** For requests and connections from now on; what is under way keeps its limits. */
  takeLimits(limits: EngineLimits): void {
    this.limits = limits;
    this.#spareExchanges.length = 0;
    if (!this.isDraining) this.#idleTimeoutMs = limits.idleTimeoutMs;
    this.#shareFields();
  }

  /** From now on every answer says "Connection: close". Goes on accepting: whoever balances load may not know yet. */
  announceDrain(): void {
    if (this.#stage === Stage.serving) this.#stage = Stage.announced;
  }

  /**
   * Stops accepting, answers what has been accepted, then closes; resolves when the last connection is gone. Connections that
   * are left after `timeoutMs` are cut off.
   */
  async drain(timeoutMs: number): Promise<void> {
    if (this.isDraining) return;
    this.#stage = Stage.draining;
    const open = this.#connections.length;
    const deadline = setTimeout(() => {
      // What has come since is the probes of the accept queue, or clients that were in it.
      this.#counters.countCutOff(Math.min(open, this.#connections.length));
      this.close();
    }, timeoutMs);
    // What goes on for as long as it is let ends at once; what the accept queue still brings is told when it begins to wait for this.
    for (const listener of [...this.#drainListeners]) listener();
    const listeners = this.#listeners;
    await Promise.all(listeners.map((one) => one.drain(Math.min(EMPTYING_MAX_MS, timeoutMs / 4))));
    this.#listeners = [];
    this.#idleTimeoutMs = Math.min(this.#idleTimeoutMs, DRAIN_GRACE_MS, timeoutMs / 2);
    this.#setIdleDeadline();
    for (const connection of [...this.#connections]) connection.onDrain(this.idleDeadline);
    if (this.#connections.length > 0) {
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve;
      });
    }
    const isOver = new Promise<void>((resolve) => {
      this.#whenClosed = resolve;
    });
    while (this.#work.size > 0 && !this.#isClosed) await Promise.race([...this.#work, isOver]);
    clearTimeout(deadline);
  }

  /** Cuts all connections off, and listens on. */
  closeConnections(): void {
    while (this.#connections.length > 0) this.#connections.at(-1)?.close();
  }

  /** Cuts everything off at once. */
  close(): void {
    this.#stage = Stage.closed;
    for (const listener of this.#listeners) listener.close();
    this.#listeners = [];
    this.closeConnections();
    this.clock.stop();
    this.#whenClosed?.();
  }

  takeExchange(host: ExchangeHost): Exchange {
    this.countRequest(1);
    const exchange = this.#spareExchanges.pop() ?? new Exchange(this.limits, this.makeView);
    exchange.begin(host);
    return exchange;
  }

  returnExchange(exchange: Exchange): void {
    this.countRequest(-1);
    // The promise of its handler would settle in the middle of somebody else's request.
    if (exchange.responding === Responding.pending) return;
    exchange.end();
    if (exchange.limits !== this.limits) return;
    if (this.#spareExchanges.length < SPARE_EXCHANGES) this.#spareExchanges.push(exchange);
  }

  /** Requests under way, from their first byte to the last of their answer. */
  get pendingRequests(): number {
    return this.#counters.requests;
  }

  countRequest(change: 1 | -1): void {
    this.#counters.countRequest(change);
  }

  countAnswer(): void {
    this.#counters.countAnswer();
  }

  waitUntil(work: Promise<unknown>): void {
    const settled = work.then(
      () => {},
      (error) => this.report(error),
    );
    this.#work.add(settled);
    void settled.then(() => this.#work.delete(settled));
  }

  whenDraining(listener: () => void): () => void {
    if (this.isDraining) listener();
    else this.#drainListeners.add(listener);
    return () => void this.#drainListeners.delete(listener);
  }

  everyTick(listener: (now: number) => void): () => void {
    this.#tickListeners.add(listener);
    return () => void this.#tickListeners.delete(listener);
  }

  handOver(connection: LiveConnection, socket: TransportSocket, leftover: Buffer, take: TakeOver): void {
    const owner = take({
      transport: this.transport,
      socket,
      now: () => this.clock.now,
      report: this.report,
      forget: (one) => this.forget(one),
    });
    socket.owner = owner;
    this.replace(connection, owner);
    owner.begin(leftover);
    if (this.isDraining) owner.onDrain(this.idleDeadline);
  }

  replace(connection: LiveConnection, next: LiveConnection): void {
    next.index = connection.index;
    this.#connections[connection.index] = next;
  }

  forget(connection: LiveConnection): void {
    const last = this.#connections.pop() as LiveConnection;
    if (last !== connection) {
      this.#connections[connection.index] = last;
      last.index = connection.index;
    }
    this.#counters.countConnection(-1);
    if (this.#connections.length === 0) this.#whenEmpty?.();
  }

  #accept(socket: TransportSocket, open: OpenConnection): void {
    const { maxConnections } = this.limits;
    const others = this.#counters.allConnections;
    if (others >= maxConnections + REFUSED_AT_ONCE) {
      this.transport.destroy(socket);
      return;
    }
    this.#expect();
    this.#add(open(this, socket), others >= maxConnections);
  }

  /** A client that is not on a socket of the transport. */
  adopt(open: (host: ConnectionHost) => OpenedConnection): void {
    const isTooMany = this.#counters.allConnections >= this.limits.maxConnections;
    this.#expect();
    this.#add(open(this), isTooMany);
  }

  /** Before a connection is made, which takes its deadline from the clock. */
  #expect(): void {
    this.#counters.countConnection(1);
    if (this.#connections.length === 0) {
      this.clock.wake();
      this.#setIdleDeadline();
    }
  }

  #add(connection: OpenedConnection, isTooMany: boolean): void {
    connection.index = this.#connections.length;
    this.#connections.push(connection);
    if (isTooMany) connection.refuse('tooManyConnections');
  }

  #keepAliveFields(): string {
    return keepAliveFields(this.limits.idleTimeoutMs) + this.#altSvc;
  }

  #shareFields(): void {
    const { date } = this.clock.sharedFields;
    this.clock.sharedFields = { date, keepAlive: this.#keepAliveFields() };
  }

  #setIdleDeadline(): void {
    this.idleDeadline = this.clock.now + this.#idleTimeoutMs;
  }

  #tick(): boolean {
    const { now } = this.clock;
    this.#setIdleDeadline();
    for (const listener of this.#tickListeners) listener(now);
    const connections = this.#connections;
    // Backwards: a connection that closes is replaced by the last one, which has been looked at.
    for (let i = connections.length - 1; i >= 0; i--) {
      const connection = connections[i] as LiveConnection;
      if (connection.deadline <= now) connection.onDeadline();
    }
    return connections.length > 0;
  }
}

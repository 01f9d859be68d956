/**
 * One client: reads what arrives, has every request answered in its turn, and ends. Owns its socket, the bytes it cannot use yet,
 * and the exchange that is under way; everything else it borrows from the engine.
 *
 *        ┌──────────── the answer is out, more may come ───────────┐
 *        ▼                                                         │
 *      idle ─▶ head ─▶ handler ─▶ body ─▶ send ────────────────────┤
 *        │  each phase is skipped if it has nothing to wait for    │ the last answer is out
 *        ▼                                                         ▼
 *      closed ◀───────────────────────────────────────────────── linger
 */
import { Buffer } from 'node:buffer';
import { CONTINUE, Persistence, type PersistenceValue, refusalAnswer } from '../http/answer.ts';
import { Outcome } from '../http/outcome.ts';
import type { RefusalReason } from '../http/refusals.ts';
import type { Handler } from './call.ts';
import type { Clock } from './clock.ts';
import { type Exchange, type ExchangeHost, Reading, Responding } from './exchange.ts';
import { type EngineLimits, LINGER_MAX_MS, LINGER_QUIET_MS } from './limits.ts';
import type { Output } from './output.ts';
import { type Address, type SocketOwner, type Transport, type TransportSocket, WriteResult } from './transport.ts';
import { UnparsedInput } from './unparsed-input.ts';

/** What a connection waits for; each phase has its own deadline. */
export const Phase = {
  /** The next request. */
  idle: 0,
  /** The rest of a head. */
  head: 1,
  /** The rest of the content. */
  body: 2,
  /** The handler. */
  handler: 3,
  /** The kernel, to take bytes. */
  send: 4,
  /** The client, to take the last answer and to close. */
  linger: 5,
  closed: 6,
} as const;
export type PhaseValue = (typeof Phase)[keyof typeof Phase];

const NOTHING = Buffer.alloc(0);

/** What a connection borrows from its engine. */
export interface ConnectionHost {
  readonly handler: Handler;
  readonly limits: EngineLimits;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly output: Output;
  /** When a connection that becomes idle now has been so for too long. */
  readonly idleDeadline: number;
  /** Every answer after which nothing is waiting says "Connection: close". */
  readonly isClosing: boolean;
  readonly report: (error: unknown) => void;
  takeExchange(host: ExchangeHost): Exchange;
  returnExchange(exchange: Exchange): void;
  /** One more request has been answered. */
  countAnswer(): void;
  /** The connection has closed itself. */
  forget(connection: Connection): void;
}

export class Connection implements SocketOwner, ExchangeHost {
  phase: PhaseValue = Phase.idle;
  /** When the phase has lasted too long, on the engine's clock. */
  deadline = 0;
  /** Place in the engine's list. */
  index = 0;

  readonly #engine: ConnectionHost;
  /** Owned: destroyed only in close(). */
  readonly #socket: TransportSocket;
  /** Owned: given back to the engine with its answer. */
  #exchange: Exchange | null = null;
  /** Owned: an unfinished head, or what came after a request that is still being answered. */
  #unparsed: UnparsedInput | null = null;
  /** When the request began to arrive, if not all of it came at once; otherwise 0. */
  #requestStart = 0;
  #requestCount = 0;
  /** The last answer has been given: whatever follows is dropped. */
  #isLast = false;
  /** The client has promised to send nothing more, and everything that it sent has been read. */
  #isClientDone = false;
  /** The client has ended while its handler was at work. */
  #hasClientEnded = false;
  #isPaused = false;
  /** While sending: what was pending at the last look. */
  #pendingBytes = 0;
  #lingerEnd = 0;

  constructor(engine: ConnectionHost, socket: TransportSocket) {
    this.#engine = engine;
    this.#socket = socket;
    this.deadline = engine.idleDeadline;
  }

  remoteAddress(): Address {
    return this.#engine.transport.remoteAddress(this.#socket);
  }

  localAddress(): Address {
    return this.#engine.transport.localAddress(this.#socket);
  }

  onData(bytes: Buffer, length: number): void {
    switch (this.phase) {
      case Phase.linger:
        this.deadline = Math.min(this.#engine.clock.now + LINGER_QUIET_MS, this.#lingerEnd);
        return;
      case Phase.handler:
        this.#keepForLater(bytes, length);
        return;
      default:
        if (this.#unparsed === null) {
          this.#process(bytes, 0, length);
        } else {
          this.#unparsed.append(bytes, length);
          this.#processUnparsed();
        }
    }
  }

  onEnd(): void {
    switch (this.phase) {
      case Phase.handler:
        this.#hasClientEnded = true;
        return;
      case Phase.head:
      case Phase.body:
        this.refuse('ended');
        break;
      default:
    }
    // Nothing more can come, so there is nothing to linger for.
    if (this.phase !== Phase.send) this.close();
  }

  onFailure(): void {
    this.close();
  }

  onWritten(): void {
    if (this.phase !== Phase.send || this.#engine.transport.pendingBytes(this.#socket) > 0) return;
    if (this.#exchange?.responding === Responding.pending) this.#wait(Phase.handler);
    else this.#continue();
  }

  onSettled(exchange: Exchange, error: unknown): void {
    if (error !== null) {
      this.#engine.report(error);
      exchange.answer = refusalAnswer('handlerFailed');
      this.#isLast = true;
    }
    if (this.phase === Phase.handler) this.#continue();
  }

  /** The deadline has passed. */
  onDeadline(): void {
    switch (this.phase) {
      case Phase.idle:
        this.#linger();
        break;
      case Phase.head:
        this.refuse('headTooSlow');
        break;
      case Phase.body:
        this.refuse(this.deadline < this.#requestDeadline() ? 'bodyTooSlow' : 'requestTooSlow');
        break;
      case Phase.send:
        if (this.#engine.transport.pendingBytes(this.#socket) === this.#pendingBytes) this.close();
        else this.#wait(Phase.send);
        break;
      case Phase.handler:
      case Phase.linger:
      case Phase.closed:
        this.close();
    }
  }

  /** Answers with a refusal and ends. */
  refuse(reason: RefusalReason): void {
    this.#pushRefusal(reason);
    this.#unparsed = null;
    this.#flush();
  }

  close(): void {
    if (this.phase === Phase.closed) return;
    this.phase = Phase.closed;
    this.#unparsed = null;
    this.#endExchange();
    this.#engine.transport.destroy(this.#socket);
    this.#engine.forget(this);
  }

  /** Uses bytes[from, end); bytes[0] is the first byte of the present head, if one has begun. */
  #process(bytes: Buffer, from: number, end: number): void {
    try {
      this.#retain(bytes, this.#run(bytes, from, end), end);
      this.#flush();
    } catch (error) {
      // A bug of ours: it costs this connection and no other.
      this.#engine.output.take();
      this.#engine.report(error);
      this.close();
    }
  }

  #processUnparsed(): void {
    const unparsed = this.#unparsed;
    if (unparsed === null) this.#process(NOTHING, 0, 0);
    else this.#process(unparsed.bytes, unparsed.seen, unparsed.length);
  }

  /** Parses and answers as far as it gets. Returns the index of the first byte that is needed again. */
  #run(bytes: Buffer, from: number, end: number): number {
    const { output } = this.#engine;
    let base = 0;
    let at = from;
    while (!this.#isLast) {
      if (this.#exchange === null && at === end) {
        this.#wait(Phase.idle);
        return end;
      }
      this.#exchange ??= this.#engine.takeExchange(this);
      const exchange = this.#exchange;
      const { parser } = exchange;
      if (exchange.reading === Reading.head) {
        const outcome = parser.readHead(bytes, base, at, end);
        if (outcome === Outcome.refused) {
          this.#pushRefusal(parser.refusalReason);
          return end;
        }
        if (outcome === Outcome.needMore) {
          this.#wait(parser.isBetweenRequests ? Phase.idle : Phase.head);
          return parser.isBetweenRequests ? end : base;
        }
        at = parser.position;
        this.#requestCount++;
        exchange.reading = parser.hasBody ? Reading.content : Reading.done;
        this.#callHandler(exchange, bytes, base);
      }
      if (exchange.responding === Responding.pending) {
        this.#wait(Phase.handler);
        return at;
      }
      // The handler has failed at once.
      if (this.#exchange === null) return end;
      if (exchange.reading === Reading.content) {
        const outcome = this.#dropContent(exchange, bytes, at, end);
        if (outcome !== Outcome.complete) return end;
        at = parser.position;
      }
      base = at;
      this.#respond(exchange, at === end);
      if (output.isFull && at < end && !this.#write()) return at;
    }
    return end;
  }

  /** Gets the handler's answer to the head in `bytes`, or its promise of one. */
  #callHandler(exchange: Exchange, bytes: Buffer, base: number): void {
    exchange.open(bytes, base);
    try {
      const answer = this.#engine.handler(exchange);
      if (answer instanceof Promise) {
        exchange.waitFor(answer);
        return;
      }
      exchange.answer = answer;
      exchange.responding = Responding.ready;
    } catch (error) {
      this.#engine.report(error);
      this.#pushRefusal('handlerFailed');
    }
    exchange.close();
  }

  /** Reads content and drops it. On anything but `complete` the connection waits or has refused. */
  #dropContent(exchange: Exchange, bytes: Buffer, from: number, end: number): number {
    const { parser } = exchange;
    if (parser.expectsContinue) {
      parser.expectsContinue = false;
      // A client that sends without waiting needs no invitation.
      if (from === end) this.#engine.output.push(CONTINUE);
    }
    let outcome = parser.readBody(bytes, from, end);
    while (outcome === Outcome.content) outcome = parser.readBody(bytes, parser.position, end);
    if (outcome === Outcome.refused) this.#pushRefusal(parser.refusalReason);
    else if (outcome === Outcome.needMore) this.#wait(Phase.body);
    return outcome;
  }

  /** Puts out the answer to the present request and makes ready for the next. */
  #respond(exchange: Exchange, isEndOfRead: boolean): void {
    const engine = this.#engine;
    const { parser } = exchange;
    this.#isClientDone = isEndOfRead && !parser.persists;
    let persistence: PersistenceValue = Persistence.keepAlive;
    if (
      !parser.persists ||
      (engine.isClosing && isEndOfRead) ||
      this.#requestCount >= engine.limits.maxRequests ||
      this.#isLast
    ) {
      persistence = Persistence.close;
      this.#isLast = true;
    }
    const answer = exchange.answer as NonNullable<typeof exchange.answer>;
    engine.output.push(answer.bytes(engine.clock.sharedFields, persistence, parser.isHead));
    engine.countAnswer();
    this.#requestStart = 0;
    this.#endExchange();
  }

  #pushRefusal(reason: RefusalReason): void {
    const engine = this.#engine;
    const isHead = this.#exchange?.parser.isHead === true;
    engine.output.push(refusalAnswer(reason).bytes(engine.clock.sharedFields, Persistence.close, isHead));
    // An answer that was ready, waiting for the rest of the content, is not sent.
    this.#endExchange();
    this.#isLast = true;
  }

  #endExchange(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.#exchange = null;
    this.#engine.returnExchange(exchange);
  }

  /** Sends what has been put out; after the last answer the end begins. */
  #flush(): void {
    if (!this.#write() || !this.#isLast) return;
    // Nothing can come that a reset would answer: no need to wait for the client's FIN (20 % of what such a connection costs).
    if (this.#isClientDone) this.close();
    else this.#linger();
  }

  /** True if the kernel has taken everything; otherwise the connection waits for that, or has failed. */
  #write(): boolean {
    const engine = this.#engine;
    const bytes = engine.output.take();
    if (bytes === null) return this.phase !== Phase.send;
    const result = engine.transport.write(this.#socket, bytes);
    if (result === WriteResult.done) return true;
    if (result === WriteResult.failed) {
      this.close();
      return false;
    }
    engine.output.keep(bytes);
    this.#pause();
    this.#wait(Phase.send);
    return false;
  }

  /** Goes on with what has been kept, after waiting for the handler or for the kernel. */
  #continue(): void {
    this.#resume();
    const exchange = this.#exchange;
    if (this.#isLast && exchange === null) {
      this.#linger();
      return;
    }
    // The handler has failed: the content of its request, and more, may still come.
    if (this.#isLast && exchange !== null) this.#respond(exchange, false);
    this.#processUnparsed();
    if (this.#hasClientEnded && this.phase !== Phase.handler) this.onEnd();
  }

  #wait(phase: PhaseValue): void {
    const { clock, idleDeadline, limits, transport } = this.#engine;
    this.phase = phase;
    switch (phase) {
      case Phase.idle:
        this.deadline = idleDeadline;
        return;
      case Phase.head:
        if (this.#requestStart === 0) this.#requestStart = clock.now;
        this.deadline = this.#requestStart + limits.headerTimeoutMs;
        return;
      case Phase.body:
        if (this.#requestStart === 0) this.#requestStart = clock.now;
        this.deadline = Math.min(this.#requestDeadline(), clock.now + limits.bodyTimeoutMs);
        return;
      case Phase.send:
        this.#pendingBytes = transport.pendingBytes(this.#socket);
        this.deadline = clock.now + limits.sendTimeoutMs;
        return;
      default:
        this.deadline = Number.POSITIVE_INFINITY;
    }
  }

  #requestDeadline(): number {
    return this.#requestStart + this.#engine.limits.requestTimeoutMs;
  }

  /** Half-closes, and reads on for a while: a reset could destroy the answer before it is read (RFC 9112 §9.6). */
  #linger(): void {
    if (this.phase === Phase.closed || this.phase === Phase.linger) return;
    const { clock, transport } = this.#engine;
    this.phase = Phase.linger;
    this.#unparsed = null;
    this.#lingerEnd = clock.now + LINGER_MAX_MS;
    this.deadline = clock.now + LINGER_QUIET_MS;
    transport.end(this.#socket);
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#engine.transport.pause(this.#socket);
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#engine.transport.resume(this.#socket);
  }

  /** Bytes that arrive while the handler is at work: kept, and no more of them are read. */
  #keepForLater(bytes: Buffer, length: number): void {
    if (this.#unparsed === null) this.#unparsed = new UnparsedInput(bytes, 0, length);
    else this.#unparsed.append(bytes, length);
    this.#pause();
  }

  /** Keeps bytes[start, end) and nothing else. */
  #retain(bytes: Buffer, start: number, end: number): void {
    if (start === end || this.#isLast || this.phase === Phase.closed) {
      this.#unparsed = null;
      return;
    }
    let unparsed = this.#unparsed;
    if (bytes === unparsed?.bytes) unparsed.drop(start);
    else this.#unparsed = unparsed = new UnparsedInput(bytes, start, end);
    unparsed.seen = this.phase === Phase.head ? unparsed.length : 0;
  }
}

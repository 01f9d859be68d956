/**
 * One client: what arrives is parsed, every request is answered in its turn, and whatever goes wrong ends here. Owns its link
 * and the octets of an unfinished head; everything else it borrows from the engine.
 */
import { Buffer } from 'node:buffer';
import { type Answer, CONTINUE, Persistence, type PersistenceValue, refusalAnswer } from '../http/answer.ts';
import { Outcome } from '../http/outcome.ts';
import type { Cause } from '../http/refusals.ts';
import { RequestParser } from '../http/request-parser.ts';
import type { Clock } from './clock.ts';
import type { Handler, RequestView } from './handler.ts';
import { KeptOctets } from './kept-octets.ts';
import { type EngineLimits, LINGER_MAX_MS, LINGER_QUIET_MS } from './limits.ts';
import type { Output } from './output.ts';
import { type Link, type LinkOwner, type Transport, WriteResult } from './transport.ts';

/** What a connection waits for; each has its own deadline. */
export const Phase = {
  /** The next request. */
  idle: 0,
  /** The rest of a head. */
  head: 1,
  /** The rest of the content. */
  body: 2,
  /** The handler. */
  handler: 3,
  /** The kernel, to take octets. */
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
  readonly isDraining: boolean;
  readonly report: (error: unknown) => void;
  /** One more request has been answered. */
  countAnswer(): void;
  /** The connection has closed itself. */
  forget(connection: Connection): void;
}

export class Connection implements LinkOwner, RequestView {
  phase: PhaseValue = Phase.idle;
  /** When the phase has lasted too long, on the engine's clock. */
  deadline = 0;
  /** Place in the engine's list. */
  index = 0;

  readonly #engine: ConnectionHost;
  /** Owned: destroyed only in close(). */
  readonly #link: Link;
  readonly #parser: RequestParser;
  /** Owned: an unfinished head, or what came behind an answer that has to wait. */
  #kept: KeptOctets | null = null;
  /** When the request began to arrive, if not all of it came at once; else 0. */
  #requestStart = 0;
  #requestCount = 0;
  /** The answer to the present request, whose content may still be arriving. */
  #answer: Answer | null = null;
  #isHandlerBusy = false;
  /** The last answer has been given: what follows is dropped. */
  #isLast = false;
  /** The client has promised to send nothing more, and all that it sent has been read. */
  #isClientDone = false;
  /** While sending: what was pending at the last look. */
  #pendingOctets = 0;
  #lingerEnd = 0;
  /** During the handler's call: what the view is made from. */
  #view: Buffer | null = null;
  #viewBase = 0;

  constructor(engine: ConnectionHost, link: Link) {
    this.#engine = engine;
    this.#link = link;
    this.#parser = new RequestParser(engine.limits);
    this.deadline = engine.idleDeadline;
  }

  get method(): string {
    return this.#text(this.#parser.methodStart, this.#parser.methodEnd);
  }

  get target(): string {
    return this.#text(this.#parser.targetStart, this.#parser.targetEnd);
  }

  get minorVersion(): number {
    return this.#parser.minorVersion;
  }

  onData(bytes: Buffer, length: number): void {
    if (this.phase === Phase.linger) {
      this.deadline = Math.min(this.#engine.clock.now + LINGER_QUIET_MS, this.#lingerEnd);
    } else if (this.#kept === null) {
      this.#process(bytes, 0, length);
    } else {
      this.#kept.append(bytes, length);
      this.#process(this.#kept.octets, this.#kept.seen, this.#kept.length);
    }
  }

  onEnd(): void {
    if (this.phase === Phase.head || this.phase === Phase.body) this.refuse('ended');
    // Nothing more can come, so there is nothing to linger for.
    if (this.phase !== Phase.send) this.close();
  }

  onFailure(): void {
    this.close();
  }

  onWritten(): void {
    if (this.phase !== Phase.send || this.#engine.transport.pendingOctets(this.#link) > 0) return;
    if (this.#isHandlerBusy) {
      this.#wait(Phase.handler);
      return;
    }
    this.#continue();
  }

  /** The deadline has passed. */
  onDeadline(): void {
    switch (this.phase) {
      case Phase.head:
        this.refuse('headTooSlow');
        break;
      case Phase.body:
        this.refuse('requestTooSlow');
        break;
      case Phase.send:
        if (this.#engine.transport.pendingOctets(this.#link) === this.#pendingOctets) this.close();
        else this.#wait(Phase.send);
        break;
      case Phase.idle:
        this.#linger();
        break;
      default:
        this.close();
    }
  }

  /** Answers with a refusal and ends. */
  refuse(cause: Cause): void {
    this.#pushRefusal(cause);
    this.#kept = null;
    this.#flush();
  }

  close(): void {
    if (this.phase === Phase.closed) return;
    this.phase = Phase.closed;
    this.#kept = null;
    this.#answer = null;
    this.#engine.transport.destroy(this.#link);
    this.#engine.forget(this);
  }

  /** Uses bytes[from, end); bytes[0] is the first octet of the present head, if one has begun. */
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

  /** Parses and answers as far as it gets. Returns where the octets begin that are wanted again. */
  #run(bytes: Buffer, from: number, end: number): number {
    const parser = this.#parser;
    const { output } = this.#engine;
    let base = 0;
    let at = from;
    while (!this.#isLast) {
      if (this.#answer === null) {
        const outcome = parser.readHead(bytes, base, at, end);
        if (outcome === Outcome.refused) {
          this.#pushRefusal(parser.cause);
          return end;
        }
        if (outcome === Outcome.needMore) {
          this.#wait(parser.isBetweenRequests ? Phase.idle : Phase.head);
          return parser.isBetweenRequests ? end : base;
        }
        at = parser.position;
        this.#requestCount++;
        if (!this.#ask(bytes, base)) return at;
      }
      if (parser.hasBody) {
        if (parser.expectsContinue) {
          parser.expectsContinue = false;
          // A client that sends without waiting needs no invitation.
          if (at === end) output.push(CONTINUE);
        }
        const outcome = parser.readBody(bytes, at, end);
        if (outcome === Outcome.refused) {
          this.#pushRefusal(parser.cause);
          return end;
        }
        if (outcome === Outcome.needMore) {
          this.#wait(Phase.body);
          return end;
        }
        at = parser.position;
      }
      base = at;
      this.#give(at === end);
      if (at === end) {
        this.#wait(Phase.idle);
        return end;
      }
      if (output.isFull && !this.#write()) return at;
    }
    return end;
  }

  /** Gets the handler's answer to the head in `bytes`; false where it comes later or never. */
  #ask(bytes: Buffer, base: number): boolean {
    this.#view = bytes;
    this.#viewBase = base;
    try {
      const answer = this.#engine.handler(this);
      if (answer instanceof Promise) {
        this.#awaitHandler(answer);
        return false;
      }
      this.#answer = answer;
    } catch (error) {
      this.#engine.report(error);
      this.#pushRefusal('handlerFailed');
    }
    this.#view = null;
    return this.#answer !== null;
  }

  #awaitHandler(promise: Promise<Answer>): void {
    const engine = this.#engine;
    this.#view = null;
    this.#isHandlerBusy = true;
    engine.transport.pause(this.#link);
    this.#wait(Phase.handler);
    const settle = () => {
      this.#isHandlerBusy = false;
      if (this.phase === Phase.handler) this.#continue();
    };
    promise.then(
      (answer) => {
        this.#answer = answer;
        settle();
      },
      (error) => {
        engine.report(error);
        this.#answer = refusalAnswer('handlerFailed');
        this.#isLast = true;
        settle();
      },
    );
  }

  /** Puts out the answer to the present request and makes ready for the next. */
  #give(isEndOfRead: boolean): void {
    const engine = this.#engine;
    const parser = this.#parser;
    const { maxRequests } = engine.limits;
    this.#isClientDone = isEndOfRead && !parser.persists;
    let persistence: PersistenceValue = parser.minorVersion === 0 ? Persistence.keepAlive : Persistence.implied;
    if (
      !parser.persists ||
      (engine.isDraining && isEndOfRead) ||
      (maxRequests > 0 && this.#requestCount >= maxRequests) ||
      this.#isLast
    ) {
      persistence = Persistence.close;
      this.#isLast = true;
    }
    engine.output.push((this.#answer as Answer).octets(engine.clock.date, persistence, parser.isHead));
    engine.countAnswer();
    this.#answer = null;
    this.#requestStart = 0;
    parser.reset();
  }

  #pushRefusal(cause: Cause): void {
    const engine = this.#engine;
    engine.output.push(refusalAnswer(cause).octets(engine.clock.date, Persistence.close, this.#parser.isHead));
    // The request that is refused may have had its answer already, for after its content.
    this.#answer = null;
    this.#isLast = true;
  }

  /** Sends what has been put out; after the last answer the end begins. */
  #flush(): void {
    if (!this.#write() || !this.#isLast) return;
    // Nothing can come that a reset would answer: no need to wait for the client's FIN (20 % of what such a connection costs).
    if (this.#isClientDone) this.close();
    else this.#linger();
  }

  /** True where the kernel has taken all; else the connection waits for that, or has failed. */
  #write(): boolean {
    const engine = this.#engine;
    const octets = engine.output.take();
    if (octets === null) return this.phase !== Phase.send;
    const result = engine.transport.write(this.#link, octets);
    if (result === WriteResult.done) return true;
    if (result === WriteResult.failed) {
      this.close();
      return false;
    }
    engine.output.keep(octets);
    engine.transport.pause(this.#link);
    this.#wait(Phase.send);
    return false;
  }

  /** Goes on with what has been kept, after waiting for the handler or for the kernel. */
  #continue(): void {
    this.#engine.transport.resume(this.#link);
    if (this.#isLast && this.#answer === null) {
      this.#linger();
      return;
    }
    // The handler has failed: its request's content, and more, may still come.
    if (this.#isLast) this.#give(false);
    const kept = this.#kept;
    if (kept === null) this.#process(NOTHING, 0, 0);
    else this.#process(kept.octets, kept.seen, kept.length);
  }

  #wait(phase: PhaseValue): void {
    const { clock, idleDeadline, limits, transport } = this.#engine;
    this.phase = phase;
    switch (phase) {
      case Phase.idle:
        this.deadline = idleDeadline;
        return;
      case Phase.head:
      case Phase.body:
        if (this.#requestStart === 0) this.#requestStart = clock.now;
        this.deadline = this.#requestStart + (phase === Phase.head ? limits.headerTimeoutMs : limits.requestTimeoutMs);
        return;
      case Phase.send:
        this.#pendingOctets = transport.pendingOctets(this.#link);
        this.deadline = clock.now + limits.sendTimeoutMs;
        return;
      default:
        this.deadline = Number.POSITIVE_INFINITY;
    }
  }

  /** Half-closes, and reads on for a while: a reset could destroy the answer before it is read (RFC 9112 §9.6). */
  #linger(): void {
    if (this.phase === Phase.closed || this.phase === Phase.linger) return;
    const { clock, transport } = this.#engine;
    this.phase = Phase.linger;
    this.#kept = null;
    this.#lingerEnd = clock.now + LINGER_MAX_MS;
    this.deadline = clock.now + LINGER_QUIET_MS;
    transport.end(this.#link);
  }

  /** Keeps bytes[start, end) and nothing else. */
  #retain(bytes: Buffer, start: number, end: number): void {
    if (start === end || this.#isLast || this.phase === Phase.closed) {
      this.#kept = null;
      return;
    }
    let kept = this.#kept;
    if (bytes === kept?.octets) kept.drop(start);
    else this.#kept = kept = new KeptOctets(bytes, start, end);
    kept.seen = this.phase === Phase.head ? kept.length : 0;
  }

  #text(start: number, end: number): string {
    if (this.#view === null) throw new Error('a request view is valid only while its handler is called');
    return this.#view.toString('latin1', this.#viewBase + start, this.#viewBase + end);
  }
}

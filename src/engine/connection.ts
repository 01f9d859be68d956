/**
 * One client: reads what arrives, has every request answered in its turn, and ends. Owns its socket, the bytes it cannot use yet,
 * and the exchange that is under way; everything else it borrows from the engine.
 *
 *        ┌────────────────── the answer is out, more may come ──────────────────┐
 *        ▼                                                                      │
 *      idle ─▶ head ─▶ body, handler, stream and send, in any order, each only ─┤
 *        │             if there is something to wait for                        │ the last answer is out
 *        ▼                                                                      ▼
 *      closed ◀────────────────────────────────────────────────────────────── linger
 */
import { Buffer } from 'node:buffer';
import { CONTINUE, refusalAnswer } from '../http/answer.ts';
import { Outcome } from '../http/outcome.ts';
import type { RefusalReason } from '../http/refusals.ts';
import { connectionFields, Persistence, type PersistenceValue, ReplyKind, type WholeReply } from '../http/reply.ts';
import type { Call, Handler } from './call.ts';
import type { Clock } from './clock.ts';
import { type Exchange, type ExchangeHost, Reading, Responding, type RespondingValue } from './exchange.ts';
import type { HandOverReply, TakeOver } from './hand-over.ts';
import { type EngineLimits, LINGER_MAX_MS, LINGER_QUIET_MS } from './limits.ts';
import type { LiveConnection } from './live-connection.ts';
import type { Output } from './output.ts';
import { RequestError } from './request-error.ts';
import type { StreamReply } from './stream-reply.ts';
import { Framing, type FramingValue, type StreamHost, StreamWriter } from './stream-writer.ts';
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
  /** The handler, for its answer. */
  handler: 3,
  /** The handler, for the next piece of its answer. */
  stream: 4,
  /** The kernel, to take bytes. */
  send: 5,
  /** The client, to take the last answer and to close. */
  linger: 6,
  closed: 7,
} as const;
export type PhaseValue = (typeof Phase)[keyof typeof Phase];

const NOTHING = Buffer.alloc(0);

/** What became of an exchange; told after every answer. */
export interface AnswerEnd {
  readonly status: number;
  /** Of content, as far as they were sent. */
  readonly bytes: number;
  readonly ms: number;
  readonly isAborted: boolean;
}

/** What a connection borrows from its engine. */
export interface ConnectionHost {
  readonly handler: Handler;
  readonly state: unknown;
  readonly limits: EngineLimits;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly output: Output;
  /** When a connection that becomes idle now has been so for too long. */
  readonly idleDeadline: number;
  /** Every answer after which nothing is waiting says "Connection: close". */
  readonly isClosing: boolean;
  readonly report: (error: unknown) => void;
  readonly done: ((call: Call, end: AnswerEnd) => void) | null;
  takeExchange(host: ExchangeHost): Exchange;
  returnExchange(exchange: Exchange): void;
  waitUntil(work: Promise<unknown>): void;
  /** One more request has been answered. */
  countAnswer(): void;
  /** Another protocol is spoken on `socket` from now on, by what `take` makes. */
  handOver(connection: LiveConnection, socket: TransportSocket, leftover: Buffer, take: TakeOver): void;
  /** The connection has closed. */
  forget(connection: LiveConnection): void;
}

export class Connection implements SocketOwner, ExchangeHost, StreamHost, LiveConnection {
  phase: PhaseValue = Phase.idle;
  deadline = 0;
  index = 0;

  readonly #engine: ConnectionHost;
  /** Owned: destroyed only in close(), unless it was handed over. */
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
  /** What the answer under way says about the connection, if it comes in pieces. */
  #persistence: PersistenceValue = Persistence.keepAlive;
  /** The client has promised to send nothing more, and everything that it sent has been read. */
  #isClientDone = false;
  /** The client has ended while its request was being answered. */
  #hasClientEnded = false;
  #isPaused = false;
  /** Bytes are being processed: what is put out now leaves at the end of it. */
  #isProcessing = false;
  /** While sending: what was pending at the last look. */
  #pendingBytes = 0;
  #lingerEnd = 0;
  #streamedBytes = 0;
  /** To be resolved when the kernel has taken everything. */
  #unsent: PromiseWithResolvers<void>[] | null = null;

  constructor(engine: ConnectionHost, socket: TransportSocket) {
    this.#engine = engine;
    this.#socket = socket;
    this.deadline = engine.idleDeadline;
  }

  get state(): unknown {
    return this.#engine.state;
  }

  remoteAddress(): Address {
    return this.#engine.transport.remoteAddress(this.#socket);
  }

  localAddress(): Address {
    return this.#engine.transport.localAddress(this.#socket);
  }

  waitUntil(work: Promise<unknown>): void {
    this.#engine.waitUntil(work);
  }

  onData(bytes: Buffer, length: number): void {
    switch (this.phase) {
      case Phase.linger:
        this.deadline = Math.min(this.#engine.clock.now + LINGER_QUIET_MS, this.#lingerEnd);
        return;
      case Phase.handler:
      case Phase.stream:
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
      case Phase.stream:
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
    this.#resolveSent();
    switch (this.#exchange?.responding) {
      case Responding.pending:
        this.#wait(Phase.handler);
        if (this.#exchange?.reading === Reading.content) this.#continue();
        break;
      case Responding.streaming:
        this.#wait(Phase.stream);
        this.#exchange.writer?.onDrained();
        if (this.#exchange?.reading === Reading.content) this.#continue();
        break;
      default:
        this.#continue();
    }
  }

  onSettled(exchange: Exchange, error: unknown): void {
    if (error !== null) {
      if (error instanceof RequestError) {
        exchange.reply = refusalAnswer(error.reason);
      } else {
        this.#engine.report(error);
        exchange.reply = refusalAnswer('handlerFailed');
      }
      this.#isLast = true;
    }
    if (this.phase === Phase.handler || this.phase === Phase.body) this.#continue();
  }

  onContentWanted(): void {
    if (this.#isProcessing || this.phase === Phase.send) return;
    this.#continue();
  }

  onTimeoutSet(): void {
    if (this.phase === Phase.handler || this.phase === Phase.stream) this.#wait(this.phase);
  }

  sendInterim(text: string): void {
    this.#engine.output.pushLatin1(text);
    if (!this.#isProcessing) this.#write();
  }

  putContent(bytes: Buffer, framing: FramingValue): void {
    this.#streamedBytes += bytes.length;
    if (this.#exchange?.parser.isHead === true) return;
    const { output } = this.#engine;
    if (framing === Framing.chunked) output.pushLatin1(`${bytes.length.toString(16)}\r\n`);
    output.pushCopy(bytes);
    if (framing === Framing.chunked) output.pushLatin1('\r\n');
  }

  flushContent(): boolean {
    if (this.#isProcessing && !this.#engine.output.isFull) return true;
    return this.#write();
  }

  makeSignal(): AbortSignal {
    const exchange = this.#exchange;
    return exchange === null ? AbortSignal.abort(new Error('the client is gone')) : exchange.makeSignal();
  }

  onStreamEnd(error: unknown): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (error !== null) {
      if (!(error instanceof Error) || !(error as { isAbort?: boolean }).isAbort) this.#engine.report(error);
      // Nobody must take a part for the whole: no last chunk, and a reset where only the end of the connection marks the end.
      this.#cutOff();
      return;
    }
    if (exchange.writer !== null && this.#streamFraming === Framing.chunked && !exchange.parser.isHead) {
      this.#engine.output.pushLatin1('0\r\n\r\n');
    }
    if (this.#streamFraming === Framing.close) this.#isLast = true;
    this.#endAnswer(exchange, this.#streamedBytes);
    if (!this.#isProcessing) this.#continue();
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
      case Phase.handler:
        this.refuse('handlerTooSlow');
        break;
      case Phase.send:
        if (this.#engine.transport.pendingBytes(this.#socket) === this.#pendingBytes) this.close();
        else this.#wait(Phase.send);
        break;
      case Phase.stream:
        this.#cutOff();
        break;
      case Phase.linger:
      case Phase.closed:
        this.close();
    }
  }

  onDrain(idleDeadline: number): void {
    if (this.phase === Phase.idle) this.deadline = Math.min(this.deadline, idleDeadline);
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
    this.#abandonExchange();
    this.#rejectSent();
    this.#engine.transport.destroy(this.#socket);
    this.#engine.forget(this);
  }

  get #streamFraming(): FramingValue {
    const { reply, parser } = this.#exchange as Exchange;
    if ((reply as StreamReply).length !== null) return Framing.length;
    return parser.line.minorVersion === 1 ? Framing.chunked : Framing.close;
  }

  /** Uses bytes[from, end); bytes[0] is the first byte of the present head, if one has begun. */
  #process(bytes: Buffer, from: number, end: number): void {
    this.#isProcessing = true;
    try {
      this.#retain(bytes, this.#run(bytes, from, end), end);
      this.#isProcessing = false;
      this.#flush();
    } catch (error) {
      // A bug of ours: it costs this connection and no other.
      this.#isProcessing = false;
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
        this.#requestCount++;
        exchange.reading = parser.hasBody ? Reading.content : Reading.done;
        exchange.open(bytes, base, parser.position, end);
        this.#callHandler(exchange);
        at = exchange.position;
        if (this.#exchange === null) return end;
      }
      if (exchange.reading === Reading.content) {
        at = this.#readContent(exchange, bytes, at, end);
        if (this.#exchange === null) return end;
      }
      switch (exchange.responding) {
        case Responding.pending:
          if (exchange.reading === Reading.done) this.#wait(Phase.handler);
          return at;
        case Responding.streaming:
          if (exchange.reading === Reading.done) this.#wait(Phase.stream);
          return at;
        case Responding.ready:
          if (exchange.reading === Reading.content && !this.#answersEarly(exchange)) return at;
          this.#respond(exchange, bytes, at, end);
          if (this.#isClosed) return end;
          // Narrowed by the compiler, and changed by #respond.
          if ((exchange.responding as RespondingValue) !== Responding.done) return at;
          // Content that is still to come is dropped before the next request.
          if (exchange.reading === Reading.content && !this.#isLast) continue;
          break;
        default:
          // Responding.done
          if (exchange.reading === Reading.content) {
            if (exchange.droppedBytes <= this.#engine.limits.maxDropped) return at;
            this.#isLast = true;
          }
      }
      this.#endExchange();
      base = at;
      if (output.isFull && at < end && !this.#write()) return at;
    }
    return end;
  }

  /** Gets the handler's answer, or its promise of one. */
  #callHandler(exchange: Exchange): void {
    const engine = this.#engine;
    if (engine.done !== null) exchange.startedAt = performance.now();
    try {
      const reply = engine.handler(exchange.view);
      if (reply instanceof Promise) {
        exchange.waitFor(reply);
      } else {
        exchange.reply = reply;
        exchange.responding = Responding.ready;
      }
    } catch (error) {
      if (error instanceof RequestError) {
        this.#pushRefusal(error.reason);
      } else {
        engine.report(error);
        this.#pushRefusal('handlerFailed');
      }
      return;
    }
    exchange.closeArrived();
    if (exchange.refusalReason !== null) this.#pushRefusal(exchange.refusalReason);
  }

  /** Reads content, for the handler or to drop it; returns how far. Sets the phase if there must be more. */
  #readContent(exchange: Exchange, bytes: Buffer, from: number, end: number): number {
    const { parser, body } = exchange;
    const isDropped = this.#dropsContent(exchange);
    if (!isDropped && body === null) {
      // The handler may still ask for it.
      this.#wait(exchange.responding === Responding.streaming ? Phase.stream : Phase.handler);
      return from;
    }
    if (isDropped && exchange.responding === Responding.ready && this.#answersEarly(exchange)) return from;
    if (parser.expectsContinue) {
      parser.expectsContinue = false;
      // A client that sends without waiting needs no invitation.
      if (from === end) this.#engine.output.push(CONTINUE);
    }
    let at = from;
    for (;;) {
      const outcome = parser.readBody(bytes, at, end);
      at = parser.position;
      switch (outcome) {
        case Outcome.content:
          if (isDropped) exchange.droppedBytes += parser.contentEnd - parser.contentStart;
          else body?.push(bytes, parser.contentStart, parser.contentEnd);
          break;
        case Outcome.complete:
          exchange.reading = Reading.done;
          body?.complete();
          return at;
        case Outcome.refused:
          body?.refuse(parser.refusalReason);
          if (exchange.responding === Responding.streaming) this.#cutOff();
          else this.#pushRefusal(parser.refusalReason);
          return end;
        default:
          this.#awaitContent(exchange, isDropped);
          return at;
      }
    }
  }

  /** Nobody will read the content any more. */
  #dropsContent(exchange: Exchange): boolean {
    switch (exchange.responding) {
      case Responding.ready:
        return exchange.reply?.kind !== ReplyKind.stream || exchange.body === null;
      case Responding.done:
        return true;
      default:
        return false;
    }
  }

  #awaitContent(exchange: Exchange, isDropped: boolean): void {
    if (isDropped && exchange.droppedBytes > this.#engine.limits.maxDropped) return;
    if (isDropped || exchange.body?.isWanted === true) {
      this.#wait(Phase.body);
      return;
    }
    // The handler is not fast enough: the client has to wait.
    this.#pause();
    this.#wait(exchange.responding === Responding.streaming ? Phase.stream : Phase.handler);
  }

  /** The answer does not wait for the rest of the content: too much would have to be dropped, or it is being read. */
  #answersEarly(exchange: Exchange): boolean {
    const { maxDropped } = this.#engine.limits;
    if (exchange.reply?.kind === ReplyKind.stream && exchange.body !== null) return true;
    if (maxDropped === Number.POSITIVE_INFINITY) return false;
    // A client that has been told nothing yet need not send its content at all.
    return (
      exchange.parser.expectsContinue ||
      exchange.droppedBytes > maxDropped ||
      exchange.contentLength - exchange.droppedBytes > maxDropped
    );
  }

  /** Puts out the answer to the present request, or its beginning. bytes[at, end) came behind the request. */
  #respond(exchange: Exchange, bytes: Buffer, at: number, end: number): void {
    const engine = this.#engine;
    const { parser, reply } = exchange;
    const isEndOfRead = at === end;
    const isUnread = exchange.reading === Reading.content && reply?.kind !== ReplyKind.stream;
    this.#isClientDone = isEndOfRead && !parser.persists && exchange.reading === Reading.done;
    const closes =
      !parser.persists ||
      (engine.isClosing && isEndOfRead) ||
      this.#requestCount >= engine.limits.maxRequests ||
      this.#isLast ||
      isUnread;
    const persistence = closes ? Persistence.close : Persistence.keepAlive;
    this.#requestStart = 0;
    switch ((reply as NonNullable<typeof reply>).kind) {
      case ReplyKind.whole:
        if (closes) this.#isLast = true;
        (reply as WholeReply).putInto(engine.output, engine.clock.sharedFields, persistence, parser.isHead);
        this.#endAnswer(exchange, (reply as WholeReply).contentLength);
        break;
      case ReplyKind.stream:
        this.#beginStream(exchange, reply as StreamReply, persistence);
        break;
      case ReplyKind.handOver:
        this.#handOver(exchange, reply as HandOverReply, bytes, at, end);
    }
  }

  #beginStream(exchange: Exchange, reply: StreamReply, persistence: PersistenceValue): void {
    const { output, clock } = this.#engine;
    const framing = this.#streamFraming;
    this.#persistence = framing === Framing.close ? Persistence.close : persistence;
    this.#streamedBytes = 0;
    const fields = connectionFields(clock.sharedFields, this.#persistence);
    const how = framing === Framing.length ? `Content-Length: ${reply.length}\r\n` : '';
    const coding = framing === Framing.chunked ? 'Transfer-Encoding: chunked\r\n' : '';
    output.pushLatin1(`${reply.start}${how}${coding}${clock.sharedFields.date}${fields}\r\n`);
    exchange.view.keepHead();
    exchange.responding = Responding.streaming;
    exchange.writer = new StreamWriter(this, framing, reply.length);
    if (exchange.parser.isHead) {
      exchange.writer.abort(new Error('the answer to HEAD has no content'));
      this.#endAnswer(exchange, 0);
    } else {
      exchange.writer.run(reply);
    }
  }

  #handOver(exchange: Exchange, reply: HandOverReply, bytes: Buffer, at: number, end: number): void {
    const engine = this.#engine;
    if (exchange.reading !== Reading.done || exchange.parser.line.minorVersion === 0) {
      this.#pushRefusal('upgradeImpossible');
      return;
    }
    engine.output.pushLatin1(reply.head);
    this.#endAnswer(exchange, 0);
    this.#endExchange();
    this.#isProcessing = false;
    this.#write();
    if (this.#isClosed) return;
    this.#resume();
    const leftover = Buffer.from(bytes.subarray(at, end));
    this.phase = Phase.closed;
    engine.handOver(this, this.#socket, leftover, reply.take);
  }

  /** The answer is out. */
  #endAnswer(exchange: Exchange, bytes: number): void {
    const engine = this.#engine;
    const sent = exchange.takeSent();
    if (sent !== null) {
      this.#unsent ??= [];
      this.#unsent.push(sent);
    }
    engine.countAnswer();
    if (engine.done !== null) this.#tellDone(exchange, bytes, false);
    if (exchange.responding === Responding.streaming && this.#persistence === Persistence.close) this.#isLast = true;
    exchange.responding = Responding.done;
    exchange.view.openedBody?.fail(new Error('the answer has been given'));
  }

  #tellDone(exchange: Exchange, bytes: number, isAborted: boolean): void {
    const { done, report } = this.#engine;
    try {
      const ms = performance.now() - exchange.startedAt;
      done?.(exchange.view, { status: exchange.reply?.status ?? 0, bytes, ms, isAborted });
    } catch (error) {
      report(error);
    }
  }

  #pushRefusal(reason: RefusalReason): void {
    const engine = this.#engine;
    const exchange = this.#exchange;
    if (exchange?.responding === Responding.streaming) {
      this.#cutOff();
      return;
    }
    const isHead = exchange?.parser.isHead === true;
    if (exchange?.responding !== Responding.done) {
      refusalAnswer(reason).putInto(engine.output, engine.clock.sharedFields, Persistence.close, isHead);
    }
    // An answer that was ready, waiting for the rest of the content, is not sent.
    this.#abandonExchange();
    this.#isLast = true;
  }

  /** The answer cannot be completed. */
  #cutOff(): void {
    this.#engine.output.take();
    this.#engine.transport.reset(this.#socket);
    this.close();
  }

  #endExchange(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.#exchange = null;
    this.#engine.returnExchange(exchange);
  }

  /** As `#endExchange`, without an answer. */
  #abandonExchange(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (
      this.#engine.done !== null &&
      exchange.responding !== Responding.uncalled &&
      exchange.responding !== Responding.done
    )
      this.#tellDone(exchange, this.#streamedBytes, true);
    exchange.abort(new Error('the client is gone'));
    this.#endExchange();
  }

  /** Sends what has been put out; after the last answer the end begins. */
  #flush(): void {
    if (this.phase === Phase.closed || !this.#write() || !this.#isLast || this.#exchange !== null) return;
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
    if (result === WriteResult.done) {
      if (this.phase === Phase.send) return false;
      if (this.#unsent !== null) this.#resolveSent();
      return true;
    }
    if (result === WriteResult.failed) {
      this.close();
      return false;
    }
    engine.output.keep(bytes);
    this.#pause();
    this.#wait(Phase.send);
    return false;
  }

  #resolveSent(): void {
    const unsent = this.#unsent;
    if (unsent === null) return;
    this.#unsent = null;
    for (const sent of unsent) sent.resolve();
  }

  #rejectSent(): void {
    const unsent = this.#unsent;
    if (unsent === null) return;
    this.#unsent = null;
    for (const sent of unsent) {
      // Nobody may be waiting.
      sent.promise.catch(() => {});
      sent.reject(new Error('the client is gone'));
    }
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
    if (this.#isLast && exchange !== null) {
      if (exchange.responding === Responding.ready) this.#respond(exchange, NOTHING, 0, 1);
      this.#endExchange();
    }
    this.#processUnparsed();
    if (this.#hasClientEnded && !this.#isAnswering) this.onEnd();
  }

  get #isClosed(): boolean {
    return this.phase === Phase.closed;
  }

  get #isAnswering(): boolean {
    return this.phase === Phase.handler || this.phase === Phase.stream;
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
      case Phase.handler:
        this.deadline = clock.now + this.#handlerTimeoutMs(limits.handlerTimeoutMs);
        return;
      case Phase.stream:
        this.deadline = clock.now + this.#handlerTimeoutMs(Number.POSITIVE_INFINITY);
        return;
      case Phase.send:
        this.#pendingBytes = transport.pendingBytes(this.#socket);
        this.deadline = clock.now + limits.sendTimeoutMs;
        return;
      default:
        this.deadline = Number.POSITIVE_INFINITY;
    }
  }

  /** As the handler has set it, or as the limits say. */
  #handlerTimeoutMs(limit: number): number {
    const ms = this.#exchange?.timeoutMs ?? -1;
    if (ms < 0) return limit;
    return ms === 0 ? Number.POSITIVE_INFINITY : ms;
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
    const exchange = this.#exchange;
    if (exchange !== null && exchange.reading !== Reading.head) exchange.view.keepHead();
    if (start === end || (this.#isLast && exchange === null) || this.phase === Phase.closed) {
      this.#unparsed = null;
      return;
    }
    let unparsed = this.#unparsed;
    if (bytes === unparsed?.bytes) unparsed.drop(start);
    else this.#unparsed = unparsed = new UnparsedInput(bytes, start, end);
    unparsed.seen = this.phase === Phase.head ? unparsed.length : 0;
  }
}

/**
 * One client: reads what arrives, has every request answered in turn, and ends. Owns its socket, the bytes it cannot use yet,
 * and the current exchange; everything else is borrowed from the engine.
 *
 *        ┌────────────────── the answer is out, more may come ──────────────────┐
 *        ▼                                                                      │
 *      idle ─▶ head ─▶ body, handler, stream and send, in any order, each only ─┤
 *        │             if there is something to wait for                        │ the last answer is out
 *        ▼                                                                      ▼
 *      closed ◀────────────────────────────────────────────────────────────── linger
 */
import { Buffer } from 'node:buffer';
import { refusalAnswer } from '../http/answer.ts';
import { Outcome } from '../http/outcome.ts';
import type { RefusalReason } from '../http/refusals.ts';
import { Persistence, type PersistenceValue, ReplyKind, type WholeReply } from '../http/reply.ts';
import { callHandler, putRefusal, putStreamHead, refusalOf, tellDone } from './answering.ts';
import type { ConnectionHost } from './connection-host.ts';
import { Content, readContent } from './content.ts';
import { type Exchange, type ExchangeHost, Reading, Responding, type RespondingValue } from './exchange.ts';
import type { HandOverReply } from './hand-over.ts';
import { LINGER_MAX_MS, LINGER_QUIET_MS } from './limits.ts';
import type { LiveConnection } from './live-connection.ts';
import type { Output } from './output.ts';
import { deadlineOf, Phase, type PhaseValue } from './phase.ts';
import type { StreamReply } from './stream-reply.ts';
import { Framing, framingOf, type StreamHost, StreamWriter } from './stream-writer.ts';
import { type Address, type SocketOwner, type TransportSocket, WriteResult } from './transport.ts';
import { UnparsedInput } from './unparsed-input.ts';
import { Wire } from './wire.ts';

const NOTHING = Buffer.alloc(0);

export class Connection implements SocketOwner, ExchangeHost, StreamHost, LiveConnection {
  phase: PhaseValue = Phase.idle;
  deadline = 0;
  index = 0;

  readonly #engine: ConnectionHost;
  /** Owned: destroyed only in close(), unless its socket was handed over. */
  readonly #wire: Wire;
  /** Owned: given back to the engine with its answer. */
  #exchange: Exchange | null = null;
  /** Owned: an unfinished head, or what arrived after a request that is still being answered. */
  #unparsed: UnparsedInput | null = null;
  /** When the request began to arrive, if it did not arrive at once; otherwise 0. */
  #requestStart = 0;
  #requestCount = 0;
  /** The last answer is out: whatever follows is dropped. */
  #isLast = false;
  /** What the current streamed answer says about the connection. */
  #persistence: PersistenceValue = Persistence.keepAlive;
  /** The client has half-closed, and everything that it sent has been read. */
  #isClientDone = false;
  /** The client has half-closed while its request was being answered. */
  #hasClientEnded = false;
  /** Bytes are being processed: output leaves when that is done. */
  #isProcessing = false;
  #lingerEnd = 0;
  constructor(engine: ConnectionHost, socket: TransportSocket) {
    this.#engine = engine;
    this.#wire = new Wire(engine.transport, socket, engine.output);
    this.deadline = engine.idleDeadline;
  }

  get state(): unknown {
    return this.#engine.state;
  }

  get output(): Output {
    return this.#engine.output;
  }

  remoteAddress(): Address {
    return this.#wire.remoteAddress;
  }

  localAddress(): Address {
    return this.#wire.localAddress;
  }

  waitUntil(work: Promise<unknown>): void {
    this.#engine.waitUntil(work);
  }

  whenDraining(listener: () => void): () => void {
    return this.#engine.whenDraining(listener);
  }

  everyTick(listener: (now: number) => void): () => void {
    return this.#engine.everyTick(listener);
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
        this.#exchange?.endClient();
        if (this.phase === Phase.stream) this.#wait(Phase.stream);
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
    if (this.phase !== Phase.send || this.#wire.isPending) return;
    this.phase = Phase.idle;
    this.#wire.resolveSent();
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
      exchange.reply = refusalAnswer(refusalOf(this.#engine, error));
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

  flushContent(): boolean {
    if (this.#isProcessing && !this.#engine.output.isFull) return true;
    return this.#write();
  }

  makeSignal(): AbortSignal {
    const exchange = this.#exchange;
    return exchange === null ? AbortSignal.abort(new Error('the client is gone')) : exchange.makeSignal();
  }

  onStreamEnd(writer: StreamWriter, error: unknown): void {
    const exchange = this.#exchange;
    if (exchange?.writer !== writer) return;
    if (error !== null) {
      this.#engine.report(error);
      // A partial answer must not look complete.
      this.#cutOff();
      return;
    }
    if (writer.framing === Framing.close) this.#isLast = true;
    this.#endAnswer(exchange, writer.bytes);
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
        if (this.#wire.hasProgressed) this.#wait(Phase.send);
        else this.close();
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
    this.#wire.destroy();
    this.#engine.forget(this);
  }

  /** Uses bytes[from, end); bytes[0] is the first byte of the current head, if one has begun. */
  #process(bytes: Buffer, from: number, end: number): void {
    this.#isProcessing = true;
    try {
      this.#retain(bytes, this.#run(bytes, from, end), end);
      this.#isProcessing = false;
      this.#flush();
    } catch (error) {
      // A bug in the engine: it costs this connection and no other.
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
      if (this.phase === Phase.send) return at;
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
        const reason = callHandler(this.#engine, exchange);
        if (reason !== null) {
          this.#pushRefusal(reason);
          return end;
        }
      } else {
        exchange.position = at;
      }
      if (exchange.reading === Reading.content && !this.#takeContent(exchange, bytes, end)) {
        return this.#exchange === null ? end : exchange.position;
      }
      at = exchange.position;
      switch (exchange.responding) {
        case Responding.pending:
          this.#waitUnlessSending(Phase.handler);
          return at;
        case Responding.streaming:
          this.#waitUnlessSending(Phase.stream);
          return at;
        case Responding.ready:
          this.#respond(exchange, bytes, at, end);
          if (this.#isClosed || this.#exchange === null) return end;
          if ((exchange.responding as RespondingValue) !== Responding.done) continue;
          // Content that is still to come is dropped before the next request.
          if (exchange.reading === Reading.content && !this.#isLast) continue;
          break;
        default:
      }
      this.#endExchange();
      base = at;
      if (output.isFull && at < end && !this.#write()) return at;
    }
    return end;
  }

  /** Reads content as far as it gets, and sets what to wait for. False: nothing more can be done now. */
  #takeContent(exchange: Exchange, bytes: Buffer, end: number): boolean {
    const { limits, output } = this.#engine;
    switch (readContent(exchange, bytes, end, limits.maxDropped, output)) {
      case Content.complete:
        return true;
      case Content.needMore:
        this.#waitUnlessSending(Phase.body);
        return false;
      case Content.unwanted:
        // The handler is slower than the client, which has to wait.
        if (exchange.body !== null) this.#wire.pause();
        this.#waitUnlessSending(exchange.responding === Responding.streaming ? Phase.stream : Phase.handler);
        return false;
      case Content.answerFirst:
        if (exchange.responding !== Responding.done) return true;
        this.#isLast = true;
        return true;
      case Content.refused:
        this.#pushRefusal(exchange.parser.refusalReason);
        return false;
    }
  }

  /** Outputs the answer to the current request, or its beginning. bytes[at, end) arrived after the request. */
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
    const { parser } = exchange;
    const framing = framingOf(reply.length, parser.line.minorVersion);
    this.#persistence = framing === Framing.close ? Persistence.close : persistence;
    putStreamHead(this.#engine, reply, framing, this.#persistence);
    exchange.responding = Responding.streaming;
    if (parser.isHead) {
      reply.discard();
      this.#endAnswer(exchange, 0);
      return;
    }
    exchange.view.keepHead();
    exchange.writer = new StreamWriter(this, framing, reply.length);
    exchange.writer.run(reply);
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
    this.#wire.resume();
    const leftover = Buffer.from(bytes.subarray(at, end));
    this.phase = Phase.closed;
    engine.handOver(this, this.#wire.socket, leftover, reply.take);
  }

  /** The answer is out. */
  #endAnswer(exchange: Exchange, bytes: number): void {
    const engine = this.#engine;
    const sent = exchange.takeSent();
    if (sent !== null) this.#wire.whenSent(sent);
    engine.countAnswer();
    tellDone(engine, exchange, bytes, false);
    if (exchange.responding === Responding.streaming && this.#persistence === Persistence.close) this.#isLast = true;
    exchange.responding = Responding.done;
    exchange.view.openedBody?.fail(new Error('the answer has been given'));
  }

  #pushRefusal(reason: RefusalReason): void {
    const exchange = this.#exchange;
    if (exchange?.responding === Responding.streaming) {
      this.#cutOff();
      return;
    }
    if (exchange?.responding !== Responding.done) {
      putRefusal(this.#engine, reason, exchange?.parser.isHead === true);
    }
    // An answer that was waiting for the rest of the content is not sent.
    this.#abandonExchange();
    this.#isLast = true;
  }

  /** The answer cannot be completed. */
  #cutOff(): void {
    this.#wire.reset();
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
    if (exchange.responding === Responding.pending || exchange.responding === Responding.streaming) {
      tellDone(this.#engine, exchange, exchange.writer?.bytes ?? 0, true);
    }
    exchange.abort(new Error('the client is gone'));
    this.#endExchange();
  }

  /** Sends the output; after the last answer, begins to end. */
  #flush(): void {
    if (this.phase === Phase.closed || !this.#write() || !this.#isLast || this.#exchange !== null) return;
    // Nothing more can arrive that would cause a reset, so do not wait for the client's FIN (20 % of such a connection's cost).
    if (this.#isClientDone) this.close();
    else this.#linger();
  }

  /** True if the kernel has taken everything; otherwise the connection waits for that, or has failed. */
  #write(): boolean {
    switch (this.#wire.send()) {
      case WriteResult.done:
        return this.phase !== Phase.send;
      case WriteResult.pending:
        this.#wait(Phase.send);
        return false;
      default:
        this.close();
        return false;
    }
  }

  /** Goes on with saved bytes, after waiting for the handler or for the kernel. */
  #continue(): void {
    this.#wire.resume();
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
    const { clock, idleDeadline, limits } = this.#engine;
    this.phase = phase;
    // A shortcut for the usual case.
    if (phase === Phase.idle) {
      this.deadline = idleDeadline;
      return;
    }
    if ((phase === Phase.head || phase === Phase.body) && this.#requestStart === 0) this.#requestStart = clock.now;
    if (phase === Phase.send) this.#wire.watch();
    const timeoutMs = this.#exchange?.timeoutMs ?? -1;
    this.deadline = deadlineOf(phase, limits, {
      now: clock.now,
      idleDeadline,
      requestStart: this.#requestStart,
      timeoutMs,
    });
    // A client that has ended and is gone shows it only when it is sent something; a stalled source would never be ended.
    if (phase === Phase.stream && this.#hasClientEnded)
      this.deadline = Math.min(this.deadline, clock.now + LINGER_QUIET_MS);
  }

  /** Waits for the kernel first, if it has not taken everything. */
  #waitUnlessSending(phase: PhaseValue): void {
    if (this.phase !== Phase.send) this.#wait(phase);
  }

  #requestDeadline(): number {
    return this.#requestStart + this.#engine.limits.requestTimeoutMs;
  }

  /** Half-closes, and reads on for a while: a reset could destroy the answer before it is read (RFC 9112 §9.6). */
  #linger(): void {
    if (this.phase === Phase.closed || this.phase === Phase.linger) return;
    const { clock } = this.#engine;
    this.phase = Phase.linger;
    this.#unparsed = null;
    this.#lingerEnd = clock.now + LINGER_MAX_MS;
    this.deadline = clock.now + LINGER_QUIET_MS;
    this.#wire.end();
  }

  /** Saves bytes that arrive while the handler is at work, and stops reading. */
  #keepForLater(bytes: Buffer, length: number): void {
    if (this.#unparsed === null) this.#unparsed = new UnparsedInput(bytes, 0, length);
    else this.#unparsed.append(bytes, length);
    this.#wire.pause();
  }

  /** Saves bytes[start, end) and nothing else. */
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

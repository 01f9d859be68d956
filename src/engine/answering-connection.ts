/** One client: how its requests are answered. Whole, in pieces, by handing the connection over, or with a refusal. */
import { Buffer } from 'node:buffer';
import { refusalAnswer } from '../http/answer.ts';
import type { RefusalReason } from '../http/refusals.ts';
import { Persistence, type PersistenceValue, ReplyKind, type WholeReply } from '../http/reply.ts';
import type { Address, PeerCredentials } from './address.ts';
import { putRefusal, putStreamHead, refusalOf, tellDone } from './answering.ts';
import { ClientGone } from './client-gone.ts';
import { type Exchange, type ExchangeHost, Reading, Responding } from './exchange.ts';
import type { HandOverReply } from './hand-over.ts';
import type { Output } from './output.ts';
import { Phase } from './phase.ts';
import { PhasedConnection } from './phased-connection.ts';
import type { StreamReply } from './stream-reply.ts';
import { type AnswerWriter, Framing, framingOf, type StreamHost, StreamWriter } from './stream-writer.ts';

export abstract class AnsweringConnection extends PhasedConnection implements ExchangeHost, StreamHost {
  /** Goes on with saved bytes, after waiting for the handler or for the kernel. */
  protected abstract continue(): void;

  get output(): Output {
    return this.engine.output;
  }

  remoteAddress(): Address {
    return this.wire.remoteAddress;
  }

  localAddress(): Address {
    return this.wire.localAddress;
  }

  peerCredentials(): PeerCredentials | null {
    return this.wire.peerCredentials;
  }

  onContentWanted(): void {
    if (this.isProcessing || this.phase === Phase.send) return;
    this.continue();
  }

  onTimeoutSet(): void {
    if (this.phase === Phase.handler || this.phase === Phase.stream) this.wait(this.phase);
  }

  onSettled(exchange: Exchange, error: unknown): void {
    if (error !== null) {
      exchange.reply = refusalAnswer(refusalOf(this.engine, error));
      this.isLast = true;
    }
    if (this.phase === Phase.handler || this.phase === Phase.body) this.continue();
  }

  sendInterim(text: string): void {
    this.engine.output.pushLatin1(text);
    if (!this.isProcessing) this.write();
  }

  flushContent(): boolean {
    if (this.isProcessing && !this.engine.output.isFull) return true;
    return this.write();
  }

  makeSignal(): AbortSignal {
    const exchange = this.exchange;
    return exchange === null ? AbortSignal.abort(new ClientGone()) : exchange.makeSignal();
  }

  onStreamEnd(writer: AnswerWriter, error: unknown): void {
    const exchange = this.exchange;
    if (exchange?.writer !== writer) return;
    if (error !== null) {
      this.engine.report(error);
      // A partial answer must not look complete.
      this.cutOff();
      return;
    }
    if (writer.framing === Framing.close) this.isLast = true;
    this.endAnswer(exchange, writer.bytes);
    if (!this.isProcessing) this.continue();
  }

  /** Answers with a refusal and ends. */
  refuse(reason: RefusalReason): void {
    this.pushRefusal(reason);
    this.unparsed = null;
    this.flush();
  }

  /** Outputs the answer to the current request, or its beginning. bytes[at, end) arrived after the request. */
  protected respond(exchange: Exchange, bytes: Buffer, at: number, end: number): void {
    const engine = this.engine;
    const { parser, reply } = exchange;
    const isEndOfRead = at === end;
    const isUnread = exchange.reading === Reading.content && reply?.kind !== ReplyKind.stream;
    this.isClientDone = isEndOfRead && !parser.persists && exchange.reading === Reading.done;
    const closes = this.closesAfter(exchange, isEndOfRead) || isUnread || reply?.closes === true;
    const persistence = closes ? Persistence.close : Persistence.keepAlive;
    this.requestStart = 0;
    switch ((reply as NonNullable<typeof reply>).kind) {
      case ReplyKind.whole:
        if (closes) this.isLast = true;
        (reply as WholeReply).putInto(engine.output, engine.clock.sharedFields, persistence, parser.isHead);
        this.endAnswer(exchange, (reply as WholeReply).contentLength);
        break;
      case ReplyKind.stream:
        this.#beginStream(exchange, reply as StreamReply, persistence);
        break;
      case ReplyKind.handOver:
        this.#handOver(exchange, reply as HandOverReply, bytes, at, end);
    }
  }

  /** The connection ends with the answer; `isAlone`: no other request has arrived. */
  protected closesAfter({ parser }: Exchange, isAlone: boolean): boolean {
    const { isClosing, limits } = this.engine;
    return !parser.persists || (isClosing && isAlone) || this.requestCount >= limits.maxRequests || this.isLast;
  }

  #beginStream(exchange: Exchange, reply: StreamReply, persistence: PersistenceValue): void {
    const { parser } = exchange;
    const framing = framingOf(reply.length, parser.line.minorVersion);
    this.persistence = framing === Framing.close ? Persistence.close : persistence;
    putStreamHead(this.engine, reply, framing, this.persistence);
    exchange.responding = Responding.streaming;
    if (parser.isHead) {
      reply.discard();
      this.endAnswer(exchange, 0);
      return;
    }
    exchange.view.keepHead();
    const writer = new StreamWriter(this, framing, reply.length);
    exchange.writer = writer;
    writer.run(reply);
  }

  #handOver(exchange: Exchange, reply: HandOverReply, bytes: Buffer, at: number, end: number): void {
    const engine = this.engine;
    if (exchange.reading !== Reading.done || exchange.parser.line.minorVersion === 0) {
      this.pushRefusal('upgradeImpossible');
      return;
    }
    engine.output.pushLatin1(reply.head);
    this.endAnswer(exchange, 0);
    this.endExchange();
    this.isProcessing = false;
    this.write();
    if (this.isClosed) return;
    this.wire.resume();
    const leftover = Buffer.from(bytes.subarray(at, end));
    this.phase = Phase.closed;
    engine.handOver(this, this.wire.socket, leftover, reply.take);
  }

  /** The answer is out. */
  protected endAnswer(exchange: Exchange, bytes: number): void {
    const engine = this.engine;
    const sent = exchange.takeSent();
    if (sent !== null) this.wire.whenSent(sent);
    engine.countAnswer();
    tellDone(engine, exchange, bytes, false);
    if (exchange.responding === Responding.streaming && this.persistence === Persistence.close) this.isLast = true;
    exchange.responding = Responding.done;
    exchange.view.openedBody?.abandon('the answer has been given');
  }

  protected pushRefusal(reason: RefusalReason): void {
    const exchange = this.exchange;
    if (exchange?.responding === Responding.streaming) {
      this.cutOff();
      return;
    }
    if (exchange?.responding !== Responding.done) {
      putRefusal(this.engine, reason, exchange?.parser.isHead === true);
    }
    // An answer that was waiting for the rest of the content is not sent.
    this.abandonExchange();
    this.isLast = true;
  }
}

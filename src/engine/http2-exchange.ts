/** One request of HTTP/2 or HTTP/3 with its answer: whole, in pieces, or passed on from somebody else. */
import type { Buffer } from 'node:buffer';
import { refusalAnswer } from '../http/answer.ts';
import type { RefusalReason } from '../http/refusals.ts';
import { type Reply, ReplyKind, type WholeReply } from '../http/reply.ts';
import { refusalOf } from './answering.ts';
import { ClientGone } from './client-gone.ts';
import { Responding } from './exchange.ts';
import { prepared } from './http2-answers.ts';
import {
  headLines,
  interimFields,
  linesAsFields,
  type RawFields,
  responseFields,
  trailerFields,
  trailerSection,
} from './http2-fields.ts';
import { Http2Request, Reset, type StreamOwner } from './http2-request.ts';
import type { Output } from './output.ts';
import { Phase } from './phase.ts';
import type { RelayHost, RelayReply } from './relay.ts';
import type { RequestStream } from './request-stream.ts';
import type { StreamReply } from './stream-reply.ts';
import { type AnswerWriter, Framing, type FramingValue, type StreamHost, StreamWriter } from './stream-writer.ts';

const CANNOT_HAND_OVER = 'a stream of HTTP/2 or HTTP/3 cannot be handed over to another protocol';

export class Http2Exchange extends Http2Request implements StreamHost, RelayHost {
  readonly isToHead: boolean;
  /** As HTTP/1.1 it has interim answers, and content of unknown length. */
  readonly minorVersion = 1;
  #status = 0;
  #writer: AnswerWriter | null = null;
  #relay: RelayReply | null = null;
  #sentBytes = 0;
  #startedAt = 0;
  #isClosed = false;

  constructor(owner: StreamOwner, stream: RequestStream, fields: RawFields) {
    super(owner, stream, fields);
    this.isToHead = this.isHead;
    stream.listener = this;
  }

  /** Calls the handler. */
  begin(): void {
    const { host } = this.owner;
    if (this.refusal !== null) {
      this.refuse(this.refusal);
      return;
    }
    if (host.done !== null) this.#startedAt = performance.now();
    try {
      const reply = host.handler(this.view);
      if (!(reply instanceof Promise)) {
        this.#respond(reply);
        return;
      }
      this.responding = Responding.pending;
      this.wait(this.isReading ? Phase.body : Phase.handler);
      reply.then(this.#onReply, this.#onError);
    } catch (error) {
      this.refuse(refusalOf(host, error));
    }
  }

  get requestLength(): number {
    return this.contentLength;
  }

  /** Shared with all connections: empty unless an answer is being put. */
  get output(): Output {
    return this.owner.host.output;
  }

  flushContent(): boolean {
    const bytes = this.output.take();
    if (bytes !== null) this.stream.write(bytes);
    return !this.stream.writableNeedDrain;
  }

  onStreamEnd(writer: AnswerWriter, error: unknown): void {
    if (this.#writer !== writer || this.#isClosed) return;
    if (error !== null) {
      this.output.take();
      this.owner.host.report(error);
      this.stream.close(Reset.internalError);
      return;
    }
    this.flushContent();
    const trailers = this.#relay === writer ? this.#relay.trailers : '';
    if (trailers === '') this.stream.end();
    else this.stream.endWith(trailerFields(trailers));
    this.#endAnswer(writer.bytes);
  }

  endHead(relay: RelayReply, length: number, hasContent: boolean, hasDate: boolean): FramingValue {
    const head = this.output.take()?.toString('latin1') ?? '';
    if (this.#relay !== relay || this.stream.destroyed) return relay.framing;
    const isUnknown = hasContent && length < 0;
    const { date, keepAlive } = this.owner.host.clock.sharedFields;
    const contentLength = length < 0 ? '' : `content-length: ${length}\r\n`;
    const lines = `${headLines(head)}${contentLength}${hasDate ? '' : date}${keepAlive}`;
    this.#status = relay.status;
    this.responding = Responding.streaming;
    this.wait(Phase.stream);
    this.stream.respond(responseFields(relay.status, lines), false, null);
    return isUnknown ? Framing.close : Framing.length;
  }

  answerInstead(relay: RelayReply, reply: Reply): void {
    if (this.#relay !== relay || this.#isClosed) {
      reply.discard();
      return;
    }
    this.#relay = null;
    this.#writer = null;
    this.timeoutMs = -1;
    this.#respond(reply);
  }

  cutOffRelay(relay: RelayReply): void {
    if (this.#relay === relay) this.stream.close(Reset.internalError);
  }

  sendInterim(text: string): void {
    if (!this.isUnanswered || this.stream.destroyed) return;
    this.stream.additionalHeaders(interimFields(Number(text.slice(9, 12)), linesAsFields(headLines(text))));
  }

  onContentWanted(): void {
    this.stream.resume();
  }

  protected refuse(reason: RefusalReason): void {
    if (this.isUnanswered) this.#respond(refusalAnswer(reason));
    else this.stream.close(Reset.cancel);
  }

  readonly #onReply = (reply: Reply): void => {
    if (this.responding === Responding.pending && !this.#isClosed) this.#respond(reply);
    else reply.discard();
  };

  readonly #onError = (error: unknown): void => {
    if (this.responding !== Responding.pending || this.#isClosed) return;
    this.refuse(refusalOf(this.owner.host, error ?? new Error('the handler rejected without a reason')));
  };

  #respond(reply: Reply): void {
    if (this.stream.destroyed) {
      reply.discard();
      return;
    }
    this.#status = reply.status;
    switch (reply.kind) {
      case ReplyKind.whole:
        this.#sendWhole(reply as WholeReply);
        break;
      case ReplyKind.stream:
        this.#sendStream(reply as StreamReply);
        break;
      case ReplyKind.relay:
        this.#beginRelay(reply as RelayReply);
        break;
      case ReplyKind.handOver:
        this.owner.host.report(new TypeError(CANNOT_HAND_OVER));
        this.#respond(refusalAnswer('upgradeImpossible'));
    }
  }

  #sendWhole(reply: WholeReply): void {
    const answer = prepared(reply, this.owner.host.clock.sharedFields, this.isHead);
    const { fields, content } = answer;
    this.stream.respond(fields, content.length === 0, answer);
    if (content.length > 0) this.stream.end(content);
    this.#endAnswer(content.length);
  }

  #sendStream(reply: StreamReply): void {
    const { date, keepAlive } = this.owner.host.clock.sharedFields;
    const length = reply.length === null ? '' : `content-length: ${reply.length}\r\n`;
    const lines = headLines(reply.start) + length + date + keepAlive;
    this.stream.respond(responseFields(reply.status, lines), this.isHead, null);
    if (this.isHead) {
      reply.discard();
      this.#endAnswer(0);
      return;
    }
    this.responding = Responding.streaming;
    this.wait(Phase.stream);
    const writer = new StreamWriter(this, reply.length === null ? Framing.close : Framing.length, reply.length);
    this.#writer = writer;
    writer.run(reply);
  }

  #beginRelay(relay: RelayReply): void {
    this.#relay = relay;
    this.#writer = relay;
    this.responding = Responding.pending;
    this.timeoutMs = 0;
    relay.begin(this);
    if (this.stream.endAfterHeaders) {
      relay.complete();
      return;
    }
    // The upstream's invitation would come too late for a client that waits for this one.
    this.inviteContent();
    relay.flush();
    this.stream.resume();
  }

  override onContent(bytes: Buffer): void {
    const relay = this.#relay;
    if (relay === null || this.isDropping) {
      super.onContent(bytes);
      return;
    }
    relay.push(bytes, 0, bytes.length);
    relay.flush();
    if (!relay.isWanted) this.stream.pause();
  }

  override onContentEnd(): void {
    const relay = this.#relay;
    if (relay === null || this.isDropping) {
      super.onContentEnd();
      return;
    }
    const { trailers } = this.stream;
    if (trailers !== null) {
      const section = trailerSection(trailers);
      relay.pushTrailers(section, 0, section.length);
    }
    relay.complete();
  }

  onDrained(): void {
    if (this.responding === Responding.streaming) this.wait(Phase.stream);
    this.#writer?.onDrained();
  }

  /** All of the answer has been given to the stream. */
  #endAnswer(bytes: number): void {
    this.responding = Responding.done;
    this.#sentBytes = bytes;
    this.owner.host.countAnswer();
    this.#tellDone(false);
    this.view.openedBody?.abandon('the answer has been given');
    this.wait(Phase.send);
    if (!this.stream.readableEnded) this.dropContent();
  }

  #tellDone(isAborted: boolean): void {
    const { host } = this.owner;
    if (host.done === null || this.refusal !== null) return;
    try {
      const ms = performance.now() - this.#startedAt;
      host.done(this.view, { status: this.#status, bytes: this.#sentBytes, ms, isAborted });
    } catch (error) {
      host.report(error);
    }
  }

  onStreamClosed(): void {
    this.#isClosed = true;
    const isComplete = this.responding === Responding.done && this.stream.rstCode === Reset.noError;
    if (this.responding === Responding.pending || this.responding === Responding.streaming) {
      this.#sentBytes = this.#writer?.bytes ?? 0;
      this.#tellDone(true);
    }
    this.responding = Responding.done;
    // An error takes a stack: 3 % of a request that nobody would show it to.
    if (isComplete && this.view.openedBody === null) this.sent?.resolve();
    else this.#tellGone(isComplete, new ClientGone());
    this.view.detach();
    this.owner.forget(this);
  }

  #tellGone(isComplete: boolean, error: Error): void {
    if (!isComplete) {
      this.controller?.abort(error);
      this.#writer?.abort(error);
    }
    this.view.openedBody?.fail(error);
    if (this.sent === null) return;
    // The promise may have no observer.
    this.sent.promise.catch(ignore);
    if (isComplete) this.sent.resolve();
    else this.sent.reject(error);
  }
}

function ignore(): void {}

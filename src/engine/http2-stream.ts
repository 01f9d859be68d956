/**
 * One request of HTTP/2 and its answer: the handler's view, content both ways, deadlines. Owns its stream, which is reset if the
 * answer cannot be completed: other streams of the connection go on.
 */
import { Buffer } from 'node:buffer';
import type { ServerHttp2Stream } from 'node:http2';
import { refusalAnswer } from '../http/answer.ts';
import { type Fields, pairsOf, renderFields } from '../http/fields.ts';
import { Outcome } from '../http/outcome.ts';
import type { RefusalReason } from '../http/refusals.ts';
import { type Reply, ReplyKind, type WholeReply } from '../http/reply.ts';
import type { RequestParser } from '../http/request-parser.ts';
import { refusalOf } from './answering.ts';
import type { ConnectionHost } from './connection-host.ts';
import { Responding, type RespondingValue } from './exchange.ts';
import { prepared } from './http2-answers.ts';
import { headOf, type RawFields, responseFields } from './http2-fields.ts';
import { LINGER_MAX_MS } from './limits.ts';
import type { PeerCredentials } from './native-binding.ts';
import { deadlineOf, Phase, type PhaseValue } from './phase.ts';
import type { RequestBody } from './request-body.ts';
import type { RequestView, ViewSource } from './request-view.ts';
import type { StreamReply } from './stream-reply.ts';
import { Framing, type StreamHost, StreamWriter } from './stream-writer.ts';
import type { Address } from './transport.ts';

/** Why a stream is reset (RFC 9113 §7). */
const NO_ERROR = 0;
const INTERNAL_ERROR = 2;
const CANCEL = 8;
const CONTINUE = { ':status': 100 };
const ENDED = { endStream: true };

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly host: ConnectionHost;
  /** Judges heads; each is complete. */
  readonly parser: RequestParser;
  readonly remote: Address;
  readonly peer: PeerCredentials | null;
  readonly local: Address;
  forget(stream: Http2Exchange): void;
}

export class Http2Exchange implements ViewSource, StreamHost {
  /** On the engine's clock. */
  deadline = Number.POSITIVE_INFINITY;
  readonly contentLength: number;
  readonly #owner: StreamOwner;
  readonly #stream: ServerHttp2Stream;
  readonly #view: RequestView;
  readonly #requestStart: number;
  readonly #isHead: boolean;
  /** null: the head is fine. */
  readonly #refusal: RefusalReason | null;
  #phase: PhaseValue = Phase.handler;
  #responding: RespondingValue = Responding.uncalled;
  #status = 0;
  #writer: StreamWriter | null = null;
  #expectsContinue: boolean;
  /** It is being read, by the handler or to be dropped. */
  #isReading = false;
  #receivedBytes = 0;
  #droppedBytes = 0;
  #sentBytes = 0;
  /** Bytes that waited at the last look. */
  #waitingBytes = 0;
  #startedAt = 0;
  #timeoutMs = -1;
  #controller: AbortController | null = null;
  #sent: PromiseWithResolvers<void> | null = null;
  #isClosed = false;

  constructor(owner: StreamOwner, stream: ServerHttp2Stream, fields: RawFields) {
    const { host, parser } = owner;
    this.#owner = owner;
    this.#stream = stream;
    this.#requestStart = host.clock.now;
    const head = headOf(fields);
    parser.reset();
    const outcome = parser.readHead(head, 0, 0, head.length);
    this.#refusal = outcome === Outcome.complete ? null : outcome === Outcome.refused ? parser.refusalReason : 'ended';
    this.#isHead = parser.isHead;
    this.#expectsContinue = parser.expectsContinue;
    this.contentLength = stream.endAfterHeaders ? 0 : parser.contentLength || -1;
    this.#view = host.makeView();
    if (this.#refusal === null) this.#view.open(this, parser, head, 0, '2');
    stream.on('error', ignore);
    stream.once('close', () => this.#onClose());
  }

  /** Calls the handler. */
  begin(): void {
    const { host } = this.#owner;
    if (this.#refusal !== null) {
      this.#refuse(this.#refusal);
      return;
    }
    if (host.done !== null) this.#startedAt = performance.now();
    try {
      const reply = host.handler(this.#view);
      if (!(reply instanceof Promise)) {
        this.#respond(reply);
        return;
      }
      this.#responding = Responding.pending;
      this.#wait(this.#isReading ? Phase.body : Phase.handler);
      reply.then(this.#onReply, this.#onError);
    } catch (error) {
      this.#refuse(refusalOf(host, error));
    }
  }

  /** The deadline has passed. */
  onDeadline(): void {
    switch (this.#phase) {
      case Phase.body: {
        const { requestTimeoutMs } = this.#owner.host.limits;
        this.#refuse(this.deadline < this.#requestStart + requestTimeoutMs ? 'bodyTooSlow' : 'requestTooSlow');
        break;
      }
      case Phase.handler:
        this.#refuse('handlerTooSlow');
        break;
      case Phase.send:
        if (this.#hasProgressed()) this.#wait(Phase.send);
        else this.#stream.close(CANCEL);
        break;
      default:
        this.#stream.close(CANCEL);
    }
  }

  get maxWhole(): number {
    return this.#owner.host.limits.maxBodySize;
  }

  get state(): unknown {
    return this.#owner.host.state;
  }

  remoteAddress(): Address {
    return this.#owner.remote;
  }

  peerCredentials(): PeerCredentials | null {
    return this.#owner.peer;
  }

  localAddress(): Address {
    return this.#owner.local;
  }

  readArrived(body: RequestBody): boolean {
    if (this.#stream.endAfterHeaders) return true;
    this.#isReading = true;
    if (this.#expectsContinue) {
      this.#expectsContinue = false;
      if (this.#isUnanswered) this.#stream.additionalHeaders(CONTINUE);
    }
    this.#stream.on('data', (bytes: Buffer) => this.#onContent(body, bytes));
    this.#stream.on('end', () => {
      body.complete();
      if (this.#responding === Responding.pending) this.#wait(Phase.handler);
    });
    return false;
  }

  resumeContent(): void {
    this.#stream.resume();
    if (this.#responding === Responding.pending) this.#wait(Phase.body);
  }

  makeSignal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  makeSent(): Promise<void> {
    this.#sent ??= Promise.withResolvers();
    return this.#sent.promise;
  }

  setTimeout(ms: number): void {
    this.#timeoutMs = ms;
    if (this.#responding === Responding.pending || this.#responding === Responding.streaming) this.#wait(this.#phase);
  }

  inform(status: number, fields: Fields): void {
    if (!Number.isInteger(status) || status < 102 || status > 199) {
      throw new RangeError(`the status of an interim answer must be a whole number from 102 to 199, got ${status}`);
    }
    renderFields(fields);
    if (!this.#isUnanswered || this.#isClosed) return;
    const all: Record<string, string | number | string[]> = { ':status': status };
    for (const [name, value] of pairsOf(fields)) {
      const lower = name.toLowerCase();
      const before = all[lower];
      all[lower] = before === undefined ? value : [...(Array.isArray(before) ? before : [String(before)]), value];
    }
    this.#stream.additionalHeaders(all);
  }

  waitUntil(work: Promise<unknown>): void {
    this.#owner.host.waitUntil(work);
  }

  whenDraining(listener: () => void): () => void {
    return this.#owner.host.whenDraining(listener);
  }

  everyTick(listener: (now: number) => void): () => void {
    return this.#owner.host.everyTick(listener);
  }

  /** Of the writer. */
  readonly output = {
    pushCopy: (bytes: Buffer): void => void this.#stream.write(Buffer.from(bytes)),
    pushLatin1: (): never => {
      throw new Error('HTTP/2 frames content itself');
    },
  };

  flushContent(): boolean {
    return !this.#stream.writableNeedDrain;
  }

  onStreamEnd(writer: StreamWriter, error: unknown): void {
    if (this.#writer !== writer || this.#isClosed) return;
    if (error !== null) {
      this.#owner.host.report(error);
      this.#stream.close(INTERNAL_ERROR);
      return;
    }
    this.#stream.end();
    this.#endAnswer(writer.bytes);
  }

  get #isUnanswered(): boolean {
    return this.#responding === Responding.uncalled || this.#responding === Responding.pending;
  }

  readonly #onReply = (reply: Reply): void => {
    if (this.#responding === Responding.pending && !this.#isClosed) this.#respond(reply);
    else reply.discard();
  };

  readonly #onError = (error: unknown): void => {
    if (this.#responding !== Responding.pending || this.#isClosed) return;
    this.#refuse(refusalOf(this.#owner.host, error ?? new Error('the handler rejected without a reason')));
  };

  #refuse(reason: RefusalReason): void {
    if (this.#isUnanswered) this.#respond(refusalAnswer(reason));
    else this.#stream.close(CANCEL);
  }

  #respond(reply: Reply): void {
    const { host } = this.#owner;
    if (this.#stream.destroyed || this.#stream.closed) {
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
      default:
        host.report(new TypeError('a stream of HTTP/2 cannot be handed over'));
        this.#respond(refusalAnswer('upgradeImpossible'));
    }
  }

  #sendWhole(reply: WholeReply): void {
    const { fields, content } = prepared(reply, this.#owner.host.clock.sharedFields, this.#isHead);
    if (this.#isHead || content.length === 0) {
      this.#stream.respond(fields as never, ENDED);
    } else {
      this.#stream.respond(fields as never);
      this.#stream.end(content);
    }
    this.#endAnswer(this.#isHead ? 0 : content.length);
  }

  #sendStream(reply: StreamReply): void {
    const { date } = this.#owner.host.clock.sharedFields;
    const length = reply.length === null ? '' : `content-length: ${reply.length}\r\n`;
    const lines = reply.start.slice(reply.start.indexOf('\r\n') + 2) + length + date;
    this.#stream.respond(responseFields(reply.status, lines) as never, this.#isHead ? ENDED : undefined);
    if (this.#isHead) {
      reply.discard();
      this.#endAnswer(0);
      return;
    }
    this.#responding = Responding.streaming;
    const framing = reply.length === null ? Framing.close : Framing.length;
    this.#writer = new StreamWriter(this, framing, reply.length);
    this.#stream.on('drain', () => {
      if (this.#responding === Responding.streaming) this.#wait(Phase.stream);
      this.#writer?.onDrained();
    });
    this.#wait(Phase.stream);
    this.#writer.run(reply);
  }

  /** All of the answer has been given to the stream. */
  #endAnswer(bytes: number): void {
    const { host } = this.#owner;
    this.#responding = Responding.done;
    this.#sentBytes = bytes;
    host.countAnswer();
    this.#tellDone(false);
    this.#view.openedBody?.fail(new Error('the answer has been given'));
    this.#wait(Phase.send);
    // RFC 9113 §8.1: nobody needs the rest of the request.
    if (!this.#stream.readableEnded) this.#dropContent();
  }

  #dropContent(): void {
    const { maxDropped } = this.#owner.host.limits;
    this.#stream.removeAllListeners('data');
    this.#stream.on('data', (bytes: Buffer) => {
      this.#droppedBytes += bytes.length;
      if (this.#droppedBytes > maxDropped) this.#stream.close(NO_ERROR);
    });
    this.#stream.resume();
  }

  #onContent(body: RequestBody, bytes: Buffer): void {
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > this.#owner.host.limits.maxBodySize) {
      body.refuse('bodyTooLarge');
      return;
    }
    body.push(bytes, 0, bytes.length);
    if (!body.isWanted) this.#stream.pause();
    if (this.#responding === Responding.pending) this.#wait(body.isWanted ? Phase.body : Phase.handler);
  }

  #wait(phase: PhaseValue): void {
    const { clock, limits } = this.#owner.host;
    this.#phase = phase;
    if (phase === Phase.send) this.#waitingBytes = this.#stream.bufferSize;
    this.deadline = deadlineOf(phase, limits, {
      now: clock.now,
      idleDeadline: 0,
      requestStart: this.#requestStart,
      timeoutMs: this.#timeoutMs,
    });
    // What is left to do is the client's: to take the answer, or to end its request.
    if (phase === Phase.send && this.#waitingBytes === 0) this.deadline = clock.now + LINGER_MAX_MS;
  }

  #hasProgressed(): boolean {
    const waiting = this.#stream.bufferSize;
    return waiting !== this.#waitingBytes && waiting > 0;
  }

  #tellDone(isAborted: boolean): void {
    const { host } = this.#owner;
    if (host.done === null) return;
    try {
      const ms = performance.now() - this.#startedAt;
      host.done(this.#view, { status: this.#status, bytes: this.#sentBytes, ms, isAborted });
    } catch (error) {
      host.report(error);
    }
  }

  #onClose(): void {
    this.#isClosed = true;
    const isComplete = this.#responding === Responding.done && this.#stream.rstCode === NO_ERROR;
    const error = new Error('the client is gone');
    if (this.#responding === Responding.pending || this.#responding === Responding.streaming) {
      this.#sentBytes = this.#writer?.bytes ?? 0;
      this.#tellDone(true);
    }
    if (!isComplete) this.#controller?.abort(error);
    this.#writer?.abort(error);
    this.#view.openedBody?.fail(error);
    if (this.#sent !== null) {
      this.#sent.promise.catch(ignore);
      if (isComplete) this.#sent.resolve();
      else this.#sent.reject(error);
    }
    this.#view.detach();
    this.#owner.forget(this);
  }
}

function ignore(): void {}

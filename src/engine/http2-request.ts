/**
 * One request of HTTP/2 or HTTP/3: its head, what its handler sees of it, its content, and until when what must have happened. Owns its stream;
 * other streams of the connection go on whatever happens to it. `http2-exchange.ts` adds the answer.
 */
import type { Buffer } from 'node:buffer';
import { type Fields, renderFields } from '../http/fields.ts';
import { Outcome } from '../http/outcome.ts';
import type { RefusalReason } from '../http/refusals.ts';
import type { RequestParser } from '../http/request-parser.ts';
import type { Address, PeerCredentials } from './address.ts';
import type { MultiplexedVersion } from './call.ts';
import type { ConnectionHost } from './connection-host.ts';
import { Responding, type RespondingValue } from './exchange.ts';
import { headOf, interimFields, type RawFields } from './http2-fields.ts';
import { LINGER_MAX_MS } from './limits.ts';
import { deadlineOf, Phase, type PhaseValue } from './phase.ts';
import type { RequestBody } from './request-body.ts';
import type { RequestStream, StreamListener } from './request-stream.ts';
import type { RequestView, ViewSource } from './request-view.ts';

/** Why a stream is reset (RFC 9113 §7). */
export const Reset = { noError: 0, internalError: 2, cancel: 8 } as const;

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly version: MultiplexedVersion;
  readonly host: ConnectionHost;
  /** Judges heads, which are always complete. */
  readonly parser: RequestParser;
  readonly remote: Address;
  readonly peer: PeerCredentials | null;
  readonly local: Address;
  forget(stream: Http2Request): void;
}

export abstract class Http2Request implements ViewSource, StreamListener {
  /** On the engine's clock. */
  deadline = Number.POSITIVE_INFINITY;
  /** Content-Length, 0 without content, -1 if it is not known. */
  readonly contentLength: number;
  protected readonly owner: StreamOwner;
  protected readonly stream: RequestStream;
  protected readonly view: RequestView;
  /** Why the head is refused; null: it is fine. */
  protected readonly refusal: RefusalReason | null;
  protected readonly isHead: boolean;
  protected responding: RespondingValue = Responding.uncalled;
  protected timeoutMs = -1;
  protected controller: AbortController | null = null;
  protected sent: PromiseWithResolvers<void> | null = null;
  /** The handler reads content. */
  protected isReading = false;
  /** Nobody reads it. */
  protected isDropping = false;
  #body: RequestBody | null = null;
  readonly #requestStart: number;
  #phase: PhaseValue = Phase.handler;
  #expectsContinue: boolean;
  #receivedBytes = 0;
  #droppedBytes = 0;
  /** What waited to be sent at the last look. */
  #waitingBytes = 0;

  constructor(owner: StreamOwner, stream: RequestStream, fields: RawFields) {
    const { host, parser } = owner;
    this.owner = owner;
    this.stream = stream;
    this.#requestStart = host.clock.now;
    const head = headOf(fields);
    parser.reset();
    const outcome = parser.readHead(head, 0, 0, head.length);
    this.refusal = outcome === Outcome.complete ? null : outcome === Outcome.refused ? parser.refusalReason : 'ended';
    this.isHead = parser.isHead;
    this.#expectsContinue = parser.expectsContinue;
    this.contentLength = stream.endAfterHeaders ? 0 : parser.contentLength || -1;
    this.view = host.makeView();
    if (this.refusal === null) this.view.open(this, parser, head, 0, owner.version);
  }

  /** The deadline has passed. */
  onDeadline(): void {
    const { limits } = this.owner.host;
    switch (this.#phase) {
      case Phase.body:
        this.refuse(this.deadline < this.#requestStart + limits.requestTimeoutMs ? 'bodyTooSlow' : 'requestTooSlow');
        break;
      case Phase.handler:
        this.refuse('handlerTooSlow');
        break;
      case Phase.send:
        if (this.#hasProgressed) this.wait(Phase.send);
        else this.stream.close(Reset.cancel);
        break;
      default:
        this.stream.close(Reset.cancel);
    }
  }

  get maxWhole(): number {
    return this.owner.host.limits.maxBodySize;
  }

  get state(): unknown {
    return this.owner.host.state;
  }

  remoteAddress(): Address {
    return this.owner.remote;
  }

  peerCredentials(): PeerCredentials | null {
    return this.owner.peer;
  }

  localAddress(): Address {
    return this.owner.local;
  }

  readArrived(body: RequestBody): boolean {
    if (this.stream.endAfterHeaders) return true;
    this.isReading = true;
    this.#body = body;
    this.inviteContent();
    this.stream.resume();
    return this.stream.readableEnded;
  }

  resumeContent(): void {
    this.stream.resume();
    if (this.responding === Responding.pending) this.wait(Phase.body);
  }

  makeSignal(): AbortSignal {
    this.controller ??= new AbortController();
    return this.controller.signal;
  }

  makeSent(): Promise<void> {
    this.sent ??= Promise.withResolvers();
    return this.sent.promise;
  }

  setTimeout(ms: number): void {
    this.timeoutMs = ms;
    if (this.responding === Responding.pending || this.responding === Responding.streaming) this.wait(this.#phase);
  }

  inform(status: number, fields: Fields): void {
    if (!Number.isInteger(status) || status < 102 || status > 199) {
      throw new RangeError(`the status of an interim answer must be a whole number from 102 to 199, got ${status}`);
    }
    renderFields(fields);
    if (this.isUnanswered && !this.stream.destroyed) this.stream.additionalHeaders(interimFields(status, fields));
  }

  waitUntil(work: Promise<unknown>): void {
    this.owner.host.waitUntil(work);
  }

  whenDraining(listener: () => void): () => void {
    return this.owner.host.whenDraining(listener);
  }

  everyTick(listener: (now: number) => void): () => void {
    return this.owner.host.everyTick(listener);
  }

  abstract onDrained(): void;
  abstract onStreamClosed(): void;

  onContent(bytes: Buffer): void {
    if (this.isDropping) this.#drop(bytes);
    else if (this.#body !== null) this.#read(this.#body, bytes);
  }

  onContentEnd(): void {
    if (this.isDropping || this.#body === null) return;
    this.#body.complete();
    if (this.responding === Responding.pending) this.wait(Phase.handler);
  }

  protected abstract refuse(reason: RefusalReason): void;

  protected get isUnanswered(): boolean {
    return this.responding === Responding.uncalled || this.responding === Responding.pending;
  }

  /** The client may be waiting for it (RFC 9110 §10.1.1). */
  protected inviteContent(): void {
    if (!this.#expectsContinue) return;
    this.#expectsContinue = false;
    if (this.isUnanswered) this.stream.additionalHeaders({ ':status': 100 });
  }

  /** What nobody reads. */
  protected dropContent(): void {
    this.isDropping = true;
    this.stream.resume();
  }

  protected wait(phase: PhaseValue): void {
    const { clock, limits } = this.owner.host;
    const { now } = clock;
    this.#phase = phase;
    if (phase === Phase.send) {
      this.#waitingBytes = this.stream.bufferSize;
      // Then it is the client that must end its request.
      if (this.#waitingBytes === 0) {
        this.deadline = now + LINGER_MAX_MS;
        return;
      }
    }
    const { timeoutMs } = this;
    this.deadline = deadlineOf(phase, limits, { now, idleDeadline: now, requestStart: this.#requestStart, timeoutMs });
  }

  get #hasProgressed(): boolean {
    const waiting = this.stream.bufferSize;
    return waiting !== this.#waitingBytes && waiting > 0;
  }

  /** RFC 9113 §8.1: after a complete answer the rest is not needed. */
  #drop(bytes: Buffer): void {
    this.#droppedBytes += bytes.length;
    if (this.#droppedBytes > this.owner.host.limits.maxDropped) this.stream.close(Reset.noError);
  }

  #read(body: RequestBody, bytes: Buffer): void {
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > this.owner.host.limits.maxBodySize) {
      body.refuse('bodyTooLarge');
      return;
    }
    body.push(bytes, 0, bytes.length);
    if (!body.isWanted) this.stream.pause();
    if (this.responding === Responding.pending) this.wait(body.isWanted ? Phase.body : Phase.handler);
  }
}

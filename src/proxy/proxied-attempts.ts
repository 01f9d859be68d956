/**
 * One request on its way to an upstream: attempts, the writing of its bytes, the end. Owns these bytes, and the connection while it uses
 * it. It makes no promise, no closure and no copy of what passes through. Where content comes from is for `proxied-request.ts`.
 */
import type { Buffer } from 'node:buffer';
import type { Call } from '../engine/call.ts';
import { type RelayHost, RelayReply } from '../engine/relay.ts';
import type { ConnectionUser } from './connection-user.ts';
import { FAILURES, type FailureReason } from './failures.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import type { Asked } from './request-head.ts';
import type { AnswerLook, ReverseProxy } from './reverse-proxy.ts';
import type { Upstream } from './upstream.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

export abstract class ProxiedAttempts extends RelayReply implements ConnectionUser, Asked {
  abstract override status: number;
  /** Kept only if the head may have to be written for another upstream. */
  readonly call: Call;
  readonly target: string | null;
  readonly scheme: Asked['scheme'];
  readonly script: Asked['script'];
  protected readonly proxy: ReverseProxy;
  protected readonly look: AnswerLook | null;
  /** null: it has not begun, or is over. */
  protected host: RelayHost | null = null;
  protected request: OutgoingRequest | null = null;
  protected upstream: Upstream | null = null;
  /** Owned: closed, or given back by its own completion. */
  protected connection: UpstreamConnection | null = null;
  protected startedAt = 0;
  protected interims = 0;
  /** What is to be said of the upstream to the client, so that it comes back. */
  protected stickyField = '';
  /** Of the request; -1: in chunks. */
  protected length = 0;
  protected isToHead = false;
  protected attempts = 0;
  #headLength = 0;

  constructor(
    proxy: ReverseProxy,
    call: Call,
    scheme: Asked['scheme'],
    target: string | null,
    script: Asked['script'],
    look: AnswerLook | null,
  ) {
    super();
    this.proxy = proxy;
    this.call = call;
    this.target = target;
    this.scheme = scheme;
    this.script = script;
    this.look = look;
  }

  abstract onInterim(bytes: Buffer, base: number): void;
  abstract onHead(bytes: Buffer, base: number, end: number): void;
  abstract onContent(bytes: Buffer, start: number, end: number): void;
  abstract onTrailers(bytes: Buffer, start: number, end: number): void;
  abstract onReadEnd(): void;
  abstract onComplete(): void;
  abstract onUpgrade(leftover: Buffer): void;

  /** Content is put from where it was kept. */
  protected abstract readonly isKept: boolean;
  /** Puts what was kept, as far as it may wait for the upstream. */
  protected abstract putKept(request: OutgoingRequest): void;

  abort(): void {
    this.end();
  }

  onReady(connection: UpstreamConnection): void {
    this.connection = connection;
    connection.beginRequest(this.isToHead, this.request?.wantsUpgrade === true);
    this.#invite();
    this.send();
    this.#askForMore();
  }

  /** In the name of an upstream that does not know of clients that wait. */
  #invite(): void {
    const { request, host } = this;
    if (request?.expectsContinue !== true || this.proxy.writer.invites || host === null) return;
    request.expectsContinue = false;
    if (host.minorVersion > 0) host.sendInterim('HTTP/1.1 100 Continue\r\n\r\n');
  }

  onWritten(): void {
    const request = this.request;
    if (request === null) return;
    request.isWriting = false;
    this.send();
    this.#askForMore();
  }

  onBroken(reason: FailureReason, detail: string): void {
    const upstream = this.upstream as Upstream;
    const connection = this.connection;
    this.connection = null;
    const request = this.request as OutgoingRequest;
    request.isWriting = false;
    const isUnanswered = connection === null || !connection.hasAnswered;
    const isStale = isUnanswered && connection?.isReused === true && (reason === 'reset' || reason === 'ended');
    if (!isStale) upstream.countFailure(reason);
    const next = this.#nextAfter(reason, isUnanswered, isStale, upstream);
    if (next === null) {
      this.fail(upstream, reason, detail);
      return;
    }
    upstream.counters.retries++;
    if (!isStale) this.proxy.tell(upstream, reason, detail, request.line, 'retried');
    this.#goOn(request, next, isStale);
  }

  /** The upstream for another attempt, or null: it would not be safe, or is of no use. */
  #nextAfter(reason: FailureReason, isUnanswered: boolean, isStale: boolean, upstream: Upstream): Upstream | null {
    const request = this.request as OutgoingRequest;
    if (this.status !== 0 || !isUnanswered || !request.isReplayable || this.interims > 0) return null;
    const wasSent = request.sent > 0;
    if (wasSent && !request.isIdempotent) return null;
    if (isStale) return upstream;
    // An upstream that is slow, or that sends nonsense, has perhaps done the work; others would only have it too.
    const isWorthIt = reason === 'reset' || reason === 'ended' || !wasSent;
    if (!isWorthIt || reason === 'busy' || this.attempts > this.proxy.settings.retries) return null;
    const next = this.proxy.group.choose(this.call, upstream);
    return next === upstream ? null : next;
  }

  #goOn(request: OutgoingRequest, next: Upstream, isStale: boolean): void {
    if (next !== this.upstream) {
      this.upstream = next;
      this.stickyField = this.proxy.group.stickyField;
      if (this.proxy.headsDiffer) {
        const other = new OutgoingRequest();
        const headLength = this.#headLength;
        this.writeHead(other, next);
        other.put(request.bytes, headLength, request.length);
        other.isComplete = request.isComplete;
        request.release();
        this.request = other;
      }
    }
    (this.request as OutgoingRequest).rewind();
    this.attempt(isStale);
  }

  protected writeHead(request: OutgoingRequest, upstream: Upstream): void {
    this.proxy.writer.putHead(request, this, upstream, this.length, this.look?.editRequestLines ?? null);
    this.#headLength = request.length;
  }

  protected attempt(wantsNew: boolean): void {
    const upstream = this.upstream as Upstream;
    this.attempts++;
    upstream.counters.requests++;
    this.startedAt = upstream.clock.now;
    const connection = upstream.take(this, (this.request as OutgoingRequest).isIdempotent, wantsNew);
    this.connection = connection;
    if (connection?.isReady === true) this.onReady(connection);
  }

  /** Writes what has not been written. */
  protected send(): void {
    const connection = this.connection;
    const request = this.request;
    if (connection === null || request === null || !connection.isReady) return;
    do {
      if (this.isKept) this.putKept(request);
      if (this.request === null) return;
      if (request.isUnsent && !request.isWriting) request.isWriting = connection.write(request.takeUnsent());
      request.forgetSent();
    } while (this.isKept && !request.isWriting);
    connection.isRequestComplete = request.isComplete && !request.isUnsent;
    if (this.status === 0) this.#waitForAnswer(connection, request);
  }

  /** The client may have been waiting for the upstream. */
  #askForMore(): void {
    const request = this.request;
    if (request !== null && !request.isComplete && !this.isKept && request.hasRoom) this.host?.onContentWanted();
  }

  /** While the client sends, its own limits apply. */
  #waitForAnswer(connection: UpstreamConnection, request: OutgoingRequest): void {
    const { clock, settings } = connection.upstream;
    const { idleMs, firstByteMs } = settings.timeouts;
    if (request.isWriting) connection.deadline = clock.now + idleMs;
    else if (request.isComplete || request.expectsContinue) connection.deadline = clock.now + firstByteMs;
    else connection.deadline = Number.POSITIVE_INFINITY;
  }

  protected waitForMore(connection: UpstreamConnection): void {
    const { clock, settings } = connection.upstream;
    connection.deadline = clock.now + settings.timeouts.idleMs;
  }

  /** It cannot be answered, or not completely. */
  protected fail(upstream: Upstream | null, reason: FailureReason, detail: string): void {
    const host = this.host as RelayHost;
    const request = this.request as OutgoingRequest;
    const proxy = this.proxy;
    if (this.status !== 0) {
      proxy.tell(upstream, reason, detail, request.line, 'cut off');
      this.release();
      host.cutOffRelay(this);
      return;
    }
    const reply = this.look?.error(FAILURES[reason].status) ?? proxy.refusal(reason);
    const line = upstream === null ? `${this.call.method} ${this.call.target}` : request.line;
    proxy.tell(upstream, reason, detail, line, reply.status as 502 | 503 | 504);
    this.release();
    host.answerInstead(this, reply);
  }

  /** The client is gone. */
  protected end(): void {
    if (this.host === null) return;
    const connection = this.connection;
    this.connection = null;
    if (connection !== null) connection.close();
    else this.upstream?.stopWaiting(this);
    this.release();
  }

  protected release(): void {
    this.host = null;
    this.request?.release();
    this.request = null;
  }
}

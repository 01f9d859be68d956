/**
 * One request on its way to an upstream: attempts, content, the end. Owns the request's bytes, and the connection while it uses it.
 * It makes no promise, no closure and no copy of what passes through.
 */
import type { Buffer } from 'node:buffer';
import type { Call } from '../engine/call.ts';
import { type RelayHost, RelayReply } from '../engine/relay.ts';
import { textAnswer } from '../http/answer.ts';
import type { ConnectionUser } from './connection-user.ts';
import { ContentSpool } from './content-spool.ts';
import { FAILURES, type FailureReason } from './failures.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import type { Asked } from './request-head.ts';
import type { AnswerLook, ReverseProxy } from './reverse-proxy.ts';
import type { Upstream } from './upstream.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

export abstract class ProxiedRequest extends RelayReply implements ConnectionUser, Asked {
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
  /** What the request may still bring; below 0: it is too large. */
  #contentLeft: number;
  #attempts = 0;
  #isToHead = false;
  /** Of the request; -1: in chunks. */
  #length = 0;
  #headLength = 0;
  #requestTrailers = '';
  /** Owned: closed when all of it has been put, or in release(). null: content is passed on as it comes. */
  #spool: ContentSpool | null = null;

  constructor(
    proxy: ReverseProxy,
    call: Call,
    scheme: Asked['scheme'],
    target: string | null,
    script: Asked['script'],
    look: AnswerLook | null,
    maxContent: number,
  ) {
    super();
    this.proxy = proxy;
    this.call = call;
    this.target = target;
    this.scheme = scheme;
    this.script = script;
    this.look = look;
    this.#contentLeft = maxContent;
  }

  abstract onInterim(bytes: Buffer, base: number): void;
  abstract onHead(bytes: Buffer, base: number, end: number): void;
  abstract onContent(bytes: Buffer, start: number, end: number): void;
  abstract onTrailers(bytes: Buffer, start: number, end: number): void;
  abstract onReadEnd(): void;
  abstract onComplete(): void;
  abstract onUpgrade(leftover: Buffer): void;

  // ---- The client's side.

  get isWanted(): boolean {
    return this.#spool !== null || this.request?.hasRoom === true;
  }

  begin(host: RelayHost): void {
    this.host = host;
    this.#isToHead = host.isToHead;
    this.#length = host.requestLength;
    this.request = new OutgoingRequest();
    if (this.#length < 0 && !this.proxy.writer.takesUnknownLength) this.#beginSpool(host);
    else this.#start(this.request);
  }

  /** All content is waited for: only then its length can be said. */
  #beginSpool(host: RelayHost): void {
    this.call.keep();
    this.#spool = new ContentSpool();
    const expects = this.call.header('expect')?.toLowerCase() === '100-continue';
    if (expects && host.minorVersion > 0) host.sendInterim('HTTP/1.1 100 Continue\r\n\r\n');
  }

  #start(request: OutgoingRequest): void {
    const proxy = this.proxy;
    const choice = proxy.group.choose(this.call, null);
    if (choice === null) {
      this.fail(null, 'noneHealthy', '');
      return;
    }
    this.upstream = choice;
    this.stickyField = proxy.group.stickyField;
    this.#writeHead(request, choice);
    if (proxy.headsDiffer) this.call.keep();
    if (this.#length !== 0) return;
    request.isComplete = true;
    this.#attempt(false);
  }

  push(bytes: Buffer, start: number, end: number): void {
    const request = this.request;
    if (request === null) return;
    this.#contentLeft -= end - start;
    if (this.#contentLeft < 0) return;
    if (this.#spool !== null) this.#keep(this.#spool, bytes, start, end);
    else this.proxy.writer.putContent(request, bytes, start, end, this.#length);
  }

  pushTrailers(bytes: Buffer, start: number, end: number): void {
    this.#requestTrailers += bytes.toString('latin1', start, end);
  }

  flush(): void {
    if (this.request === null) return;
    if (this.#contentLeft < 0) this.#refuseContent();
    // Once something has been put, content comes from there.
    else if (this.#spool !== null) return;
    else if (this.#attempts === 0) this.#attempt(false);
    else this.#send();
  }

  complete(): void {
    const request = this.request;
    if (request === null) return;
    if (this.#contentLeft < 0) {
      this.#refuseContent();
      return;
    }
    const spool = this.#spool;
    if (spool !== null) {
      this.#length = spool.length;
      // Content that is none ends with the head.
      if (spool.length === 0) this.#spool = null;
      this.#start(request);
      if (this.#length > 0 && this.request !== null) this.#attempt(false);
      return;
    }
    request.isComplete = true;
    this.proxy.writer.putEnd(request, this.#requestTrailers, this.#length);
    this.flush();
  }

  #keep(spool: ContentSpool, bytes: Buffer, start: number, end: number): void {
    try {
      spool.put(bytes, start, end);
    } catch (error) {
      this.#failToKeep(error);
    }
  }

  #feed(spool: ContentSpool, request: OutgoingRequest): void {
    try {
      if (!spool.feed(request, this.proxy.writer)) return;
      spool.close();
      this.#spool = null;
    } catch (error) {
      this.#failToKeep(error);
    }
  }

  /** The disk is full, most likely. */
  #failToKeep(error: unknown): void {
    this.connection?.close();
    this.connection = null;
    this.fail(null, 'contentNotKept', (error as Error).message);
  }

  abort(): void {
    this.end();
  }

  // ---- The upstream's side.

  onReady(connection: UpstreamConnection): void {
    this.connection = connection;
    connection.beginRequest(this.#isToHead, this.request?.wantsUpgrade === true);
    this.#invite();
    this.#send();
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
    this.#send();
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
    if (!isWorthIt || reason === 'busy' || this.#attempts > this.proxy.settings.retries) return null;
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
        this.#writeHead(other, next);
        other.put(request.bytes, headLength, request.length);
        other.isComplete = request.isComplete;
        request.release();
        this.request = other;
      }
    }
    (this.request as OutgoingRequest).rewind();
    this.#attempt(isStale);
  }

  #writeHead(request: OutgoingRequest, upstream: Upstream): void {
    this.proxy.writer.putHead(request, this, upstream, this.#length, this.look?.editRequestLines ?? null);
    this.#headLength = request.length;
  }

  #attempt(wantsNew: boolean): void {
    const upstream = this.upstream as Upstream;
    this.#attempts++;
    upstream.counters.requests++;
    this.startedAt = upstream.clock.now;
    const connection = upstream.take(this, (this.request as OutgoingRequest).isIdempotent, wantsNew);
    this.connection = connection;
    if (connection?.isReady === true) this.onReady(connection);
  }

  /** Writes what has not been written. */
  #send(): void {
    const connection = this.connection;
    const request = this.request;
    if (connection === null || request === null || !connection.isReady) return;
    do {
      if (this.#spool !== null) this.#feed(this.#spool, request);
      if (this.request === null) return;
      if (request.isUnsent && !request.isWriting) request.isWriting = connection.write(request.takeUnsent());
      request.forgetSent();
    } while (this.#spool !== null && !request.isWriting);
    connection.isRequestComplete = request.isComplete && !request.isUnsent;
    if (this.status === 0) this.#waitForAnswer(connection, request);
  }

  /** The client may have been waiting for the upstream. */
  #askForMore(): void {
    const request = this.request;
    if (request !== null && !request.isComplete && this.#spool === null && request.hasRoom)
      this.host?.onContentWanted();
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

  #refuseContent(): void {
    const host = this.host as RelayHost;
    const isAnswered = this.status !== 0;
    if (!isAnswered) {
      this.#answer(413, '413 Content Too Large\n');
      return;
    }
    this.end();
    host.cutOffRelay(this);
  }

  /** Instead of an answer of an upstream. */
  #answer(status: number, text: string): void {
    const host = this.host as RelayHost;
    this.end();
    host.answerInstead(this, this.look?.error(status) ?? textAnswer(text, status));
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
    this.#spool?.close();
    this.#spool = null;
  }
}

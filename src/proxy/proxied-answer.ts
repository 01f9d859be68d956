/**
 * One request on its way to an upstream and the answer on its way back: attempts, content both ways, the end. Owns the request's
 * bytes, and the connection while it uses it. It makes no promise, no closure and no copy of what passes through.
 */
import type { Buffer } from 'node:buffer';
import type { Call } from '../engine/call.ts';
import type { Output } from '../engine/output.ts';
import { type RelayHost, RelayReply } from '../engine/relay.ts';
import { Framing, type FramingValue } from '../engine/stream-writer.ts';
import { textAnswer } from '../http/answer.ts';
import { BodyEnd } from '../http/response-parser.ts';
import { reasonPhrase } from '../http/status.ts';
import { type AnswerCoding, EncodedContent, type EncodedContentOwner } from './encoded-content.ts';
import { FAILURES, type FailureReason } from './failures.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import type { Asked } from './request-head.ts';
import type { AnswerLook, ReverseProxy } from './reverse-proxy.ts';
import { passedTrailers } from './trailers.ts';
import { TunnelReply } from './tunnel.ts';
import type { Upstream } from './upstream.ts';
import type { ConnectionUser, UpstreamConnection } from './upstream-connection.ts';

/** Interim answers passed on for one request; a client that reads slowly must not have to take any number. */
const MAX_INTERIM = 16;

export class ProxiedAnswer extends RelayReply implements ConnectionUser, Asked, EncodedContentOwner {
  status = 0;
  bytes = 0;
  framing: FramingValue = Framing.length;

  /** Kept only if the head may have to be written for another upstream. */
  readonly call: Call;
  readonly target: string | null;
  readonly scheme: Asked['scheme'];
  readonly #proxy: ReverseProxy;
  readonly #look: AnswerLook | null;
  readonly #coding: AnswerCoding | null;
  /** Owned: closed when all has been sent, or in #release(). */
  #encoded: EncodedContent | null = null;
  /** What the request may still bring; below 0: it is too large. */
  #contentLeft: number;
  /** null: it has not begun, or is over. */
  #host: RelayHost | null = null;
  #request: OutgoingRequest | null = null;
  #upstream: Upstream | null = null;
  /** Owned: closed, or given back by its own completion. */
  #connection: UpstreamConnection | null = null;
  #attempts = 0;
  #isToHead = false;
  /** Of the request; -1: in chunks. */
  #length = 0;
  #headLength = 0;
  #startedAt = 0;
  #interims = 0;
  /** What is to be said of the upstream to the client, so that it comes back. */
  #stickyField = '';
  #requestTrailers = '';
  #answerTrailers = '';
  #upgradeFields: [string, string][] | null = null;

  constructor(
    proxy: ReverseProxy,
    call: Call,
    scheme: Asked['scheme'],
    target: string | null,
    look: AnswerLook | null,
    maxContent: number,
    coding: AnswerCoding | null,
  ) {
    super();
    this.#proxy = proxy;
    this.call = call;
    this.target = target;
    this.scheme = scheme;
    this.#look = look;
    this.#coding = coding;
    this.#contentLeft = maxContent;
  }

  // ---- The client's side.

  get isWanted(): boolean {
    return this.#request?.hasRoom === true;
  }

  begin(host: RelayHost): void {
    const proxy = this.#proxy;
    this.#host = host;
    this.#isToHead = host.isToHead;
    this.#length = host.requestLength;
    const request = new OutgoingRequest();
    this.#request = request;
    const choice = proxy.group.choose(this.call, null);
    if (choice === null) {
      this.#fail(null, 'noneHealthy', '');
      return;
    }
    this.#upstream = choice;
    this.#stickyField = proxy.group.stickyField;
    this.#writeHead(request, choice);
    if (proxy.headsDiffer) this.call.keep();
    if (this.#length !== 0) return;
    request.isComplete = true;
    this.#attempt(false);
  }

  push(bytes: Buffer, start: number, end: number): void {
    const request = this.#request;
    if (request === null) return;
    this.#contentLeft -= end - start;
    if (this.#contentLeft < 0) return;
    if (this.#length < 0) request.putLatin1(`${(end - start).toString(16)}\r\n`);
    request.put(bytes, start, end);
    if (this.#length < 0) request.putLatin1('\r\n');
  }

  pushTrailers(bytes: Buffer, start: number, end: number): void {
    this.#requestTrailers += bytes.toString('latin1', start, end);
  }

  flush(): void {
    if (this.#request === null) return;
    if (this.#contentLeft < 0) this.#refuseContent();
    else if (this.#attempts === 0) this.#attempt(false);
    else this.#send();
  }

  complete(): void {
    const request = this.#request;
    if (request === null) return;
    if (this.#contentLeft < 0) {
      this.#refuseContent();
      return;
    }
    request.isComplete = true;
    if (this.#length < 0) request.putLatin1(`0\r\n${passedTrailers(this.#requestTrailers)}\r\n`);
    this.flush();
  }

  onDrained(): void {
    this.#encoded?.resume();
    if (this.#encoded?.isFull === true) return;
    const connection = this.#connection;
    if (connection === null) return;
    this.#waitForMore(connection);
    connection.resume();
  }

  abort(): void {
    this.#end();
  }

  // ---- The upstream's side.

  onReady(connection: UpstreamConnection): void {
    this.#connection = connection;
    connection.beginRequest(this.#isToHead, this.#request?.wantsUpgrade === true);
    this.#send();
    this.#askForMore();
  }

  onWritten(): void {
    const request = this.#request;
    if (request === null) return;
    request.isWriting = false;
    this.#send();
    this.#askForMore();
  }

  onInterim(bytes: Buffer, base: number): void {
    const { parser } = this.#connection as UpstreamConnection;
    const host = this.#host as RelayHost;
    // HTTP/1.0 has none (RFC 9110 §15.2).
    if (host.minorVersion === 0 || ++this.#interims > MAX_INTERIM) return;
    let text = `HTTP/1.1 ${parser.status} ${reasonPhrase(parser.status)}\r\n`;
    for (const [name, value] of this.#proxy.responseHead.pairs(parser, bytes, base, false))
      text += `${name}: ${value}\r\n`;
    host.sendInterim(`${text}\r\n`);
  }

  onHead(bytes: Buffer, base: number, end: number): void {
    const connection = this.#connection as UpstreamConnection;
    const { parser, upstream } = connection;
    const host = this.#host as RelayHost;
    const { responseHead } = this.#proxy;
    const { counters } = upstream;
    counters.answers[Math.floor(parser.status / 100)] = (counters.answers[Math.floor(parser.status / 100)] ?? 0) + 1;
    counters.waitMs += upstream.clock.now - this.#startedAt;
    upstream.health.countSuccess();
    if (parser.isUpgrade) {
      this.#upgradeFields = responseHead.pairs(parser, bytes, base, true);
      return;
    }
    this.status = parser.status;
    const length = this.#putHead(host.output, bytes, base, end);
    if (this.#stickyField !== '') host.output.pushLatin1(this.#stickyField);
    const { keepAliveS } = responseHead;
    // A second less than it says, because the request takes time to get there.
    connection.keepAliveMs = keepAliveS < 0 ? Number.POSITIVE_INFINITY : (keepAliveS - 1) * 1000;
    this.framing = host.endHead(this, length, parser.bodyEnd !== BodyEnd.none, responseHead.hasDate);
    this.#waitForMore(connection);
  }

  /** Returns the length of what follows, -1 if it is not known. */
  #putHead(output: Output, bytes: Buffer, base: number, end: number): number {
    const { parser } = this.#connection as UpstreamConnection;
    const edit = this.#look?.editLines ?? null;
    // RFC 9110 §8.6: 204 has no length.
    let length = parser.status === 204 ? -1 : parser.contentLength;
    if (edit === null && this.#coding === null) {
      this.#proxy.responseHead.put(output, parser, bytes, base, end);
      return length;
    }
    // What waits in the output may not be in its buffer yet.
    output.room(0);
    const start = output.length;
    this.#proxy.responseHead.put(output, parser, bytes, base, end);
    const text = output.room(0).toString('latin1', start, output.length);
    const lineEnd = text.indexOf('\n') + 1;
    let lines = text.slice(lineEnd);
    const encoded = this.#coding?.encode(parser.status, lines, length, parser.bodyEnd !== BodyEnd.none) ?? null;
    if (encoded !== null) {
      lines = encoded.lines;
      if (!encoded.keepsLength) length = -1;
      if (encoded.coder !== null) this.#encoded = new EncodedContent(encoded.coder, this);
    }
    output.commit(start);
    output.pushLatin1(text.slice(0, lineEnd) + (edit === null ? lines : edit(lines)));
    return length;
  }

  onContent(bytes: Buffer, start: number, end: number): void {
    if (this.#encoded === null) this.#putContent(bytes, start, end);
    else this.#encoded.put(bytes, start, end);
  }

  #putContent(bytes: Buffer, start: number, end: number): void {
    const { output } = this.#host as RelayHost;
    this.bytes += end - start;
    if (this.framing === Framing.chunked) {
      output.pushLatin1(`${(end - start).toString(16)}\r\n`);
      output.pushRange(bytes, start, end);
      output.pushLatin1('\r\n');
    } else {
      output.pushRange(bytes, start, end);
    }
  }

  onTrailers(bytes: Buffer, start: number, end: number): void {
    this.#answerTrailers += bytes.toString('latin1', start, end);
  }

  onReadEnd(): void {
    const connection = this.#connection as UpstreamConnection;
    this.#waitForMore(connection);
    const isTaken = (this.#host as RelayHost).flushContent();
    if (isTaken && this.#encoded?.isFull !== true) return;
    // The client's own limits apply while it takes nothing. It may also be gone by now.
    if (this.#connection === null) return;
    connection.pause();
    connection.deadline = Number.POSITIVE_INFINITY;
  }

  onComplete(): void {
    this.#connection = null;
    if (this.#encoded !== null) {
      // What was put into the output for the client's head must not wait for the coder.
      (this.#host as RelayHost).flushContent();
      this.#encoded.end();
      return;
    }
    this.#endAnswer();
  }

  onEncoded(piece: Buffer): void {
    const host = this.#host as RelayHost;
    this.#putContent(piece, 0, piece.length);
    if (!host.flushContent()) this.#encoded?.pause();
  }

  onEncoderReady(): void {
    if (this.#connection !== null) {
      this.#waitForMore(this.#connection);
      this.#connection.resume();
    }
  }

  onEncodedEnd(): void {
    this.#encoded = null;
    this.#endAnswer();
  }

  onEncoderFailure(): void {
    const host = this.#host as RelayHost;
    this.#end();
    host.cutOffRelay(this);
  }

  #endAnswer(): void {
    const host = this.#host as RelayHost;
    if (this.framing === Framing.chunked) host.output.pushLatin1(`0\r\n${passedTrailers(this.#answerTrailers)}\r\n`);
    this.#release();
    host.onStreamEnd(this, null);
  }

  onUpgrade(leftover: Buffer): void {
    const host = this.#host as RelayHost;
    const connection = this.#connection as UpstreamConnection;
    const { upstream } = connection;
    const fields = this.#upgradeFields as [string, string][];
    if (!fields.some(([name]) => name.toLowerCase() === 'upgrade')) {
      connection.close();
      this.#connection = null;
      this.#fail(upstream, 'answerInvalid', 'the protocol is switched without a field Upgrade');
      return;
    }
    const far = connection.takeSocket();
    this.#connection = null;
    this.#release();
    host.answerInstead(this, new TunnelReply(fields, { ...far, leftover }, upstream));
  }

  onBroken(reason: FailureReason, detail: string): void {
    const upstream = this.#upstream as Upstream;
    const connection = this.#connection;
    this.#connection = null;
    const request = this.#request as OutgoingRequest;
    request.isWriting = false;
    const isUnanswered = connection === null || !connection.hasAnswered;
    const isStale = isUnanswered && connection?.isReused === true && (reason === 'reset' || reason === 'ended');
    if (!isStale) upstream.countFailure(reason);
    const next = this.#nextAfter(reason, isUnanswered, isStale, upstream);
    if (next === null) {
      this.#fail(upstream, reason, detail);
      return;
    }
    upstream.counters.retries++;
    if (!isStale) this.#proxy.tell(upstream, reason, detail, request.line, 'retried');
    this.#goOn(request, next, isStale);
  }

  /** The upstream for another attempt, or null: it would not be safe, or is of no use. */
  #nextAfter(reason: FailureReason, isUnanswered: boolean, isStale: boolean, upstream: Upstream): Upstream | null {
    const request = this.#request as OutgoingRequest;
    if (this.status !== 0 || !isUnanswered || !request.isReplayable || this.#interims > 0) return null;
    const wasSent = request.sent > 0;
    if (wasSent && !request.isIdempotent) return null;
    if (isStale) return upstream;
    // An upstream that is slow, or that sends nonsense, has perhaps done the work; others would only have it too.
    const isWorthIt = reason === 'reset' || reason === 'ended' || !wasSent;
    if (!isWorthIt || reason === 'busy' || this.#attempts > this.#proxy.settings.retries) return null;
    const next = this.#proxy.group.choose(this.call, upstream);
    return next === upstream ? null : next;
  }

  #goOn(request: OutgoingRequest, next: Upstream, isStale: boolean): void {
    if (next !== this.#upstream) {
      this.#upstream = next;
      this.#stickyField = this.#proxy.group.stickyField;
      if (this.#proxy.headsDiffer) {
        const other = new OutgoingRequest();
        const headLength = this.#headLength;
        this.#writeHead(other, next);
        other.put(request.bytes, headLength, request.length);
        other.isComplete = request.isComplete;
        request.release();
        this.#request = other;
      }
    }
    (this.#request as OutgoingRequest).rewind();
    this.#attempt(isStale);
  }

  #writeHead(request: OutgoingRequest, upstream: Upstream): void {
    this.#proxy.requestHead.write(request, this, upstream, this.#length);
    const edit = this.#look?.editRequestLines ?? null;
    if (edit !== null) editHead(request, this.call, edit);
    this.#headLength = request.length;
  }

  #attempt(wantsNew: boolean): void {
    const upstream = this.#upstream as Upstream;
    this.#attempts++;
    upstream.counters.requests++;
    this.#startedAt = upstream.clock.now;
    const connection = upstream.take(this, (this.#request as OutgoingRequest).isIdempotent, wantsNew);
    this.#connection = connection;
    if (connection?.isReady === true) this.onReady(connection);
  }

  /** Writes what has not been written. */
  #send(): void {
    const connection = this.#connection;
    const request = this.#request;
    if (connection === null || request === null || !connection.isReady) return;
    if (request.isUnsent && !request.isWriting) request.isWriting = connection.write(request.takeUnsent());
    connection.isRequestComplete = request.isComplete && !request.isUnsent;
    if (this.status === 0) this.#waitForAnswer(connection, request);
    request.forgetSent();
  }

  /** The client may have been waiting for the upstream. */
  #askForMore(): void {
    const request = this.#request;
    if (request !== null && !request.isComplete && request.hasRoom) this.#host?.onContentWanted();
  }

  /** While the client sends, its own limits apply. */
  #waitForAnswer(connection: UpstreamConnection, request: OutgoingRequest): void {
    const { clock, settings } = connection.upstream;
    const { idleMs, firstByteMs } = settings.timeouts;
    if (request.isWriting) connection.deadline = clock.now + idleMs;
    else if (request.isComplete || request.expectsContinue) connection.deadline = clock.now + firstByteMs;
    else connection.deadline = Number.POSITIVE_INFINITY;
  }

  #waitForMore(connection: UpstreamConnection): void {
    const { clock, settings } = connection.upstream;
    connection.deadline = clock.now + settings.timeouts.idleMs;
  }

  /** It cannot be answered, or not completely. */
  #fail(upstream: Upstream | null, reason: FailureReason, detail: string): void {
    const host = this.#host as RelayHost;
    const request = this.#request as OutgoingRequest;
    const proxy = this.#proxy;
    if (this.status !== 0) {
      proxy.tell(upstream, reason, detail, request.line, 'cut off');
      this.#release();
      host.cutOffRelay(this);
      return;
    }
    const reply = this.#look?.error(FAILURES[reason].status) ?? proxy.refusal(reason);
    const line = upstream === null ? `${this.call.method} ${this.call.target}` : request.line;
    proxy.tell(upstream, reason, detail, line, reply.status as 502 | 503 | 504);
    this.#release();
    host.answerInstead(this, reply);
  }

  #refuseContent(): void {
    const host = this.#host as RelayHost;
    const isAnswered = this.status !== 0;
    this.#end();
    if (isAnswered) host.cutOffRelay(this);
    else host.answerInstead(this, this.#look?.error(413) ?? textAnswer('413 Content Too Large\n', 413));
  }

  /** The client is gone. */
  #end(): void {
    if (this.#host === null) return;
    const connection = this.#connection;
    this.#connection = null;
    if (connection !== null) connection.close();
    else this.#upstream?.stopWaiting(this);
    this.#release();
  }

  #release(): void {
    this.#host = null;
    this.#encoded?.close();
    this.#encoded = null;
    this.#request?.release();
    this.#request = null;
  }
}

/** The head is all that the request holds yet. */
function editHead(request: OutgoingRequest, call: Call, edit: (lines: string, call: Call) => string): void {
  const text = request.bytes.toString('latin1', 0, request.length);
  const lineEnd = text.indexOf('\n') + 1;
  const edited = edit(text.slice(lineEnd, -2), call);
  request.length = 0;
  request.reserve(lineEnd + edited.length + 2);
  request.putLatin1(`${text.slice(0, lineEnd)}${edited}\r\n`);
}

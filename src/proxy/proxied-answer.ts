/**
 * The answer to a proxied request on its way back to the client: its head rewritten, its content framed anew, and compressed if that
 * was asked for; or a connection that from then on speaks another protocol.
 */
import type { Buffer } from 'node:buffer';
import type { Call } from '../engine/call.ts';
import type { Output } from '../engine/output.ts';
import type { RelayHost } from '../engine/relay.ts';
import { Framing, type FramingValue } from '../engine/stream-writer.ts';
import { BodyEnd } from '../http/response-parser.ts';
import { reasonPhrase } from '../http/status.ts';
import { type AnswerCoding, EncodedContent, type EncodedContentOwner } from './encoded-content.ts';
import { ProxiedRequest } from './proxied-request.ts';
import type { Asked } from './request-head.ts';
import type { AnswerLook, ReverseProxy } from './reverse-proxy.ts';
import { passedTrailers } from './trailers.ts';
import { TunnelReply } from './tunnel.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** Interim answers passed on for one request; a client that reads slowly must not have to take any number. */
const MAX_INTERIM = 16;

export class ProxiedAnswer extends ProxiedRequest implements EncodedContentOwner {
  status = 0;
  bytes = 0;
  framing: FramingValue = Framing.length;
  trailers = '';
  readonly #coding: AnswerCoding | null;
  /** Owned: closed when all has been sent, or in release(). */
  #encoded: EncodedContent | null = null;
  #answerTrailers = '';
  #upgradeFields: [string, string][] | null = null;

  constructor(
    proxy: ReverseProxy,
    call: Call,
    scheme: Asked['scheme'],
    target: string | null,
    script: Asked['script'],
    look: AnswerLook | null,
    maxContent: number,
    coding: AnswerCoding | null,
  ) {
    super(proxy, call, scheme, target, script, look, maxContent);
    this.#coding = coding;
  }

  onDrained(): void {
    this.#encoded?.resume();
    if (this.#encoded?.isFull === true) return;
    const connection = this.connection;
    if (connection === null) return;
    this.waitForMore(connection);
    connection.resume();
  }

  onInterim(bytes: Buffer, base: number): void {
    const { parser } = this.connection as UpstreamConnection;
    const host = this.host as RelayHost;
    // HTTP/1.0 has none (RFC 9110 §15.2).
    if (host.minorVersion === 0 || ++this.interims > MAX_INTERIM) return;
    let text = `HTTP/1.1 ${parser.status} ${reasonPhrase(parser.status)}\r\n`;
    for (const [name, value] of this.proxy.responseHead.pairs(parser, bytes, base, false))
      text += `${name}: ${value}\r\n`;
    host.sendInterim(`${text}\r\n`);
  }

  onHead(bytes: Buffer, base: number, end: number): void {
    const connection = this.connection as UpstreamConnection;
    const { parser, upstream } = connection;
    const host = this.host as RelayHost;
    const { responseHead } = this.proxy;
    const { counters } = upstream;
    counters.answers[Math.floor(parser.status / 100)] = (counters.answers[Math.floor(parser.status / 100)] ?? 0) + 1;
    counters.waitMs += upstream.clock.now - this.startedAt;
    upstream.health.countSuccess();
    if (parser.isUpgrade) {
      this.#upgradeFields = responseHead.pairs(parser, bytes, base, true);
      return;
    }
    this.status = parser.status;
    const length = this.#putHead(host.output, bytes, base, end);
    if (this.stickyField !== '') host.output.pushLatin1(this.stickyField);
    const { keepAliveS } = responseHead;
    // A second less than it says, because the request takes time to get there.
    connection.keepAliveMs = keepAliveS < 0 ? Number.POSITIVE_INFINITY : (keepAliveS - 1) * 1000;
    this.framing = host.endHead(this, length, parser.bodyEnd !== BodyEnd.none, responseHead.hasDate);
    this.waitForMore(connection);
  }

  /** Returns the length of what follows, -1 if it is not known. */
  #putHead(output: Output, bytes: Buffer, base: number, end: number): number {
    const connection = this.connection as UpstreamConnection;
    const { parser } = connection;
    const edit = this.look?.editLines ?? null;
    // RFC 9110 §8.6: 204 has no length.
    let length = parser.status === 204 ? -1 : connection.contentLength;
    if (edit === null && this.#coding === null) {
      this.proxy.responseHead.put(output, parser, bytes, base, end);
      return length;
    }
    // What waits in the output may not be in its buffer yet.
    output.room(0);
    const start = output.length;
    this.proxy.responseHead.put(output, parser, bytes, base, end);
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
    const { output } = this.host as RelayHost;
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
    const connection = this.connection as UpstreamConnection;
    this.waitForMore(connection);
    const isTaken = (this.host as RelayHost).flushContent();
    if (isTaken && this.#encoded?.isFull !== true) return;
    // The client's own limits apply while it takes nothing. It may also be gone by now.
    if (this.connection === null) return;
    connection.pause();
    connection.deadline = Number.POSITIVE_INFINITY;
  }

  onComplete(): void {
    this.connection = null;
    if (this.#encoded !== null) {
      // What was put into the output for the client's head must not wait for the coder.
      (this.host as RelayHost).flushContent();
      this.#encoded.end();
      return;
    }
    this.#endAnswer();
  }

  onEncoded(piece: Buffer): void {
    const host = this.host as RelayHost;
    this.#putContent(piece, 0, piece.length);
    if (!host.flushContent()) this.#encoded?.pause();
  }

  onEncoderReady(): void {
    if (this.connection !== null) {
      this.waitForMore(this.connection);
      this.connection.resume();
    }
  }

  onEncodedEnd(): void {
    this.#encoded = null;
    this.#endAnswer();
  }

  onEncoderFailure(): void {
    const host = this.host as RelayHost;
    this.end();
    host.cutOffRelay(this);
  }

  #endAnswer(): void {
    const host = this.host as RelayHost;
    if (this.#answerTrailers !== '') this.trailers = passedTrailers(this.#answerTrailers);
    if (this.framing === Framing.chunked) host.output.pushLatin1(`0\r\n${this.trailers}\r\n`);
    this.release();
    host.onStreamEnd(this, null);
  }

  onUpgrade(leftover: Buffer): void {
    const host = this.host as RelayHost;
    const connection = this.connection as UpstreamConnection;
    const { upstream } = connection;
    const fields = this.#upgradeFields as [string, string][];
    if (!fields.some(([name]) => name.toLowerCase() === 'upgrade')) {
      connection.close();
      this.connection = null;
      this.fail(upstream, 'answerInvalid', 'the protocol is switched without a field Upgrade');
      return;
    }
    const far = connection.takeSocket();
    this.connection = null;
    this.release();
    host.answerInstead(this, new TunnelReply(fields, { ...far, leftover }, upstream));
  }

  protected override release(): void {
    super.release();
    this.#encoded?.close();
    this.#encoded = null;
  }
}

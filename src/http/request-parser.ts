/**
 * Reads one HTTP/1.x request after another from bytes that arrive in any pieces (RFC 9112). Pure: it owns no bytes, no
 * socket and no clock.
 *
 * `readHead` and `readBody` return an outcome; `position` says how far they got. A head must be in one piece: after needMore
 * the caller keeps the bytes from the head's first one on and passes them again, lengthened, with `from` where the parser
 * stopped. Content need not be kept.
 */
import { BodyParser } from './body-parser.ts';
import { ASTERISK, SLASH } from './byte-classes.ts';
import { FieldSectionParser } from './field-section-parser.ts';
import { Expectation, TransferCoding } from './framing-headers.ts';
import { authorityOfAbsoluteForm, isSameAuthority } from './host.ts';
import type { RequestLimits } from './limits.ts';
import { Method } from './method.ts';
import { Outcome, type OutcomeValue } from './outcome.ts';
import type { RefusalReason } from './refusals.ts';
import { RequestLineParser } from './request-line-parser.ts';

export class RequestParser {
  /** Index after the last byte that was read. */
  position = 0;
  /** Why the request is refused; set by the outcome `refused`. */
  refusalReason: RefusalReason = 'methodNotToken';
  /** After a head: the client waits for "100 Continue" before it sends content. */
  expectsContinue = false;
  /** After a head: content follows, to be read with `readBody`. */
  hasBody = false;
  /** Where method and target are, and the version. */
  readonly line: RequestLineParser;
  readonly fields: FieldSectionParser;

  readonly #limits: RequestLimits;
  /** Made for the first content: most connections never carry any. */
  #body: BodyParser | null = null;
  #isLineComplete = false;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
    this.line = new RequestLineParser(limits);
    this.fields = new FieldSectionParser(limits);
  }

  /** The method is HEAD: the answer carries no content. Known once the method ends, so also for most refusals. */
  get isHead(): boolean {
    return this.line.method === Method.head;
  }

  /** Whether the client lets the connection persist (RFC 9112 §9.3). */
  get persists(): boolean {
    const { framing } = this.fields;
    return !framing.saysClose && (this.line.minorVersion === 1 || framing.saysKeepAlive);
  }

  /** No request has begun to arrive; empty lines do not count. */
  get isBetweenRequests(): boolean {
    return !this.#isLineComplete && this.line.isUnbegun;
  }

  /** After a head: the length that Content-Length gives, 0 if there is no content, or -1 if it is chunked. */
  get contentLength(): number {
    const { coding, contentLength } = this.fields.framing;
    return coding === TransferCoding.chunked ? -1 : Math.max(0, contentLength);
  }

  /** After `content`: it is [contentStart, position) of the bytes given to `readBody`. */
  get contentStart(): number {
    return (this.#body as BodyParser).contentStart;
  }

  get contentEnd(): number {
    return (this.#body as BodyParser).contentEnd;
  }

  /** After `readBody`: bytes[trailerStart, position) belong to the trailer section, its empty line included; -1: none do. */
  get trailerStart(): number {
    return (this.#body as BodyParser).trailerStart;
  }

  /** Prepares for the next head. */
  reset(): void {
    this.#isLineComplete = false;
    this.expectsContinue = false;
    this.hasBody = false;
    this.line.reset();
  }

  /** Reads bytes[from, end); bytes[base] is the head's first byte. */
  readHead(bytes: Uint8Array, base: number, from: number, end: number): OutcomeValue {
    const { line, fields } = this;
    let at = from;
    if (!this.#isLineComplete) {
      const outcome = line.read(bytes, base, from, end);
      at = this.position = line.position;
      if (outcome === Outcome.refused) this.refusalReason = line.refusalReason;
      if (outcome !== Outcome.complete) return outcome;
      this.#isLineComplete = true;
      fields.begin(at - base);
    }
    const outcome = fields.read(bytes, base, at, end);
    this.position = fields.position;
    if (outcome === Outcome.refused) this.refusalReason = fields.refusalReason;
    return outcome === Outcome.complete ? this.#finishHead(bytes, base) : outcome;
  }

  /**
   * Reads content from bytes[from, end); only after a head with `hasBody`. After `content`, call it again from `position`.
   */
  readBody(bytes: Uint8Array, from: number, end: number): OutcomeValue {
    const body = this.#body as BodyParser;
    const outcome = body.read(bytes, from, end);
    this.position = body.position;
    if (outcome === Outcome.refused) this.refusalReason = body.refusalReason;
    return outcome;
  }

  /** Judges the fields together (RFC 9112 §3.2 and §6, RFC 9110 §10.1.1). */
  #finishHead(bytes: Uint8Array, base: number): OutcomeValue {
    const { framing } = this.fields;
    const reason = this.#checkFields(bytes, base);
    if (reason !== null) {
      this.refusalReason = reason;
      return Outcome.refused;
    }
    const isChunked = framing.coding === TransferCoding.chunked;
    if (isChunked || framing.contentLength > 0) {
      this.hasBody = true;
      // HTTP/1.0 has no expectations (RFC 9110 §10.1.1).
      this.expectsContinue = framing.expectation === Expectation.continue && this.line.minorVersion === 1;
      this.#body ??= new BodyParser(this.#limits);
      this.#body.begin(isChunked, framing.contentLength);
    }
    return Outcome.complete;
  }

  #checkFields(bytes: Uint8Array, base: number): RefusalReason | null {
    const { framing } = this.fields;
    const { method, minorVersion } = this.line;
    if (framing.hostStart < 0) {
      if (minorVersion === 1) return 'hostMissing';
    } else if (this.#hostDiffers(bytes, base)) {
      return 'hostDiffers';
    }
    const fault = framing.codingFault(minorVersion);
    if (fault !== null) return fault;
    if (framing.contentLength > this.#limits.maxBodySize) return 'bodyTooLarge';
    if (method === Method.connect) return 'connectNotImplemented';
    if (framing.expectation === Expectation.unknown && minorVersion === 1) return 'expectationUnknown';
    return null;
  }

  /** Only absolute-form names a host that Host must repeat (RFC 9112 §3.2.2). */
  #hostDiffers(bytes: Uint8Array, base: number): boolean {
    const { method, targetStart, targetEnd } = this.line;
    const start = base + targetStart;
    if (bytes[start] === SLASH || bytes[start] === ASTERISK || method === Method.connect) return false;
    const authority = authorityOfAbsoluteForm(bytes, start, base + targetEnd);
    if (authority === null) return true;
    const { hostStart, hostEnd } = this.fields.framing;
    return !isSameAuthority(bytes, authority, base + hostStart, base + hostEnd);
  }
}

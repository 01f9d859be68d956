/**
 * Reads one HTTP/1.x response after another from bytes that arrive in any pieces (RFC 9112). Pure: it owns no bytes, no socket
 * and no clock. Used like `request-parser.ts`: a head must be in one piece, content need not be kept.
 *
 * It believes nothing that two readers could read in two ways: what it refuses must not reach a client (RFC 9112 §6.3).
 */
import { BodyParser } from './body-parser.ts';
import { FieldSectionParser } from './field-section-parser.ts';
import { FramingHeaders, TransferCoding } from './framing-headers.ts';
import type { ResponseLimits } from './limits.ts';
import { Outcome, type OutcomeValue } from './outcome.ts';
import type { ResponseFault } from './response-faults.ts';
import { StatusLineParser } from './status-line-parser.ts';

/** How the content of a response ends (RFC 9112 §6.3). */
export const BodyEnd = { none: 0, length: 1, lastChunk: 2, close: 3 } as const;
export type BodyEndValue = (typeof BodyEnd)[keyof typeof BodyEnd];

const SWITCHING_PROTOCOLS = 101;

export class ResponseParser {
  /** Index after the last byte that was read. */
  position = 0;
  /** Why the response is refused; set by the outcome `refused`. */
  fault: ResponseFault = 'statusLineInvalid';
  /** After a head: how its content ends. */
  bodyEnd: BodyEndValue = BodyEnd.none;
  /** Where status and reason are, and the version. */
  readonly line: StatusLineParser;
  readonly fields: FieldSectionParser;

  readonly #limits: ResponseLimits;
  /** Made for the first content with a length or in chunks. */
  #body: BodyParser | null = null;
  #isLineComplete = false;
  #isHeadComplete = false;
  /** The request was HEAD: its response never has content. */
  #isToHead = false;
  /** The request asked for another protocol. */
  #mayUpgrade = false;
  #contentStart = 0;
  #contentEnd = 0;

  constructor(limits: ResponseLimits) {
    this.#limits = limits;
    this.line = new StatusLineParser(limits);
    this.fields = new FieldSectionParser(limits, new FramingHeaders('response'));
  }

  get status(): number {
    return this.line.status;
  }

  /** After a head: another head follows, that of the final response or of one more interim one (RFC 9110 §15.2). */
  get isInterim(): boolean {
    return this.line.status < 200 && this.line.status !== SWITCHING_PROTOCOLS;
  }

  /** After a head: from here on the connection speaks another protocol. */
  get isUpgrade(): boolean {
    return this.line.status === SWITCHING_PROTOCOLS;
  }

  /** After a head: the next request can use the connection once this response is complete (RFC 9112 §9.3). */
  get persists(): boolean {
    const { framing } = this.fields;
    if (this.bodyEnd === BodyEnd.close || this.isUpgrade) return false;
    return !framing.saysClose && (this.line.minorVersion === 1 || framing.saysKeepAlive);
  }

  /** After a head: what Content-Length says, even of content that HEAD or 304 leaves out; -1 without it. */
  get contentLength(): number {
    return this.fields.framing.contentLength;
  }

  /** No response has begun to arrive. */
  get isUnbegun(): boolean {
    return !this.#isLineComplete && this.line.isUnbegun;
  }

  /** After `content`: it is [contentStart, contentEnd) of the bytes given to `readBody`. */
  get contentStart(): number {
    return this.#contentStart;
  }

  get contentEnd(): number {
    return this.#contentEnd;
  }

  /** After `readBody`: bytes[trailerStart, position) belong to the trailer section, its empty line included; -1: none do. */
  get trailerStart(): number {
    return this.bodyEnd === BodyEnd.lastChunk ? (this.#body as BodyParser).trailerStart : -1;
  }

  /** Prepares for the response to a request: one with the method HEAD, or one that asks for another protocol. */
  begin(isToHead: boolean, mayUpgrade: boolean): void {
    this.#isToHead = isToHead;
    this.#mayUpgrade = mayUpgrade;
    this.next();
  }

  /** After an interim head: prepares for the next one. */
  next(): void {
    this.#isLineComplete = false;
    this.#isHeadComplete = false;
    this.bodyEnd = BodyEnd.none;
    this.line.reset();
  }

  /** Reads bytes[from, end); bytes[base] is the head's first byte. */
  readHead(bytes: Uint8Array, base: number, from: number, end: number): OutcomeValue {
    const { line, fields } = this;
    let at = from;
    if (!this.#isLineComplete) {
      const outcome = line.read(bytes, base, from, end);
      at = this.position = line.position;
      if (outcome === Outcome.refused) this.fault = line.fault;
      if (outcome !== Outcome.complete) return outcome;
      this.#isLineComplete = true;
      fields.begin(at - base);
    }
    const outcome = fields.read(bytes, base, at, end);
    this.position = fields.position;
    if (outcome === Outcome.refused) this.fault = fields.refusalReason;
    return outcome === Outcome.complete ? this.#finishHead() : outcome;
  }

  /** Reads content from bytes[from, end), after a head that is neither interim nor an upgrade. */
  readBody(bytes: Uint8Array, from: number, end: number): OutcomeValue {
    switch (this.bodyEnd) {
      case BodyEnd.none:
        this.position = from;
        return Outcome.complete;
      case BodyEnd.close:
        this.#contentStart = from;
        this.#contentEnd = this.position = end;
        return from === end ? Outcome.needMore : Outcome.content;
      default: {
        const body = this.#body as BodyParser;
        const outcome = body.read(bytes, from, end);
        this.position = body.position;
        this.#contentStart = body.contentStart;
        this.#contentEnd = body.contentEnd;
        if (outcome === Outcome.refused) this.fault = body.refusalReason;
        return outcome;
      }
    }
  }

  /** The connection has ended while a response was awaited: `complete` if that is how its content ends. */
  end(): OutcomeValue {
    if (this.#isHeadComplete && this.bodyEnd === BodyEnd.close) return Outcome.complete;
    this.fault = this.#isHeadComplete && !this.isInterim ? 'endedInContent' : 'endedInHead';
    return Outcome.refused;
  }

  /** Judges the fields together (RFC 9112 §6.3, RFC 9110 §8.6). */
  #finishHead(): OutcomeValue {
    const fault = this.#checkFields();
    if (fault !== null) {
      this.fault = fault;
      return Outcome.refused;
    }
    this.#isHeadComplete = true;
    const { coding, contentLength } = this.fields.framing;
    const isChunked = coding === TransferCoding.chunked;
    this.bodyEnd = this.#hasNoContent ? BodyEnd.none : bodyEndOf(isChunked, contentLength);
    if (this.bodyEnd === BodyEnd.length || this.bodyEnd === BodyEnd.lastChunk) {
      this.#body ??= new BodyParser(this.#limits);
      this.#body.begin(isChunked, contentLength);
    }
    return Outcome.complete;
  }

  get #hasNoContent(): boolean {
    const { status } = this.line;
    return this.#isToHead || status < 200 || status === 204 || status === 304;
  }

  #checkFields(): ResponseFault | null {
    const { framing } = this.fields;
    const { coding, contentLength } = framing;
    const { status, minorVersion } = this.line;
    const fault = framing.codingFault(minorVersion);
    if (fault !== null) return fault;
    // A length of 0 says nothing wrong, and many servers send it with 204.
    if ((status < 200 || status === 204) && (contentLength > 0 || coding !== TransferCoding.none))
      return 'contentNotAllowed';
    if (contentLength > this.#limits.maxBodySize) return 'bodyTooLarge';
    if (status === SWITCHING_PROTOCOLS && !this.#mayUpgrade) return 'upgradeNotAsked';
    // HTTP/1.0 has no interim responses (RFC 9110 §15.2).
    if (status < 200 && minorVersion === 0) return 'responseVersion';
    return null;
  }
}

function bodyEndOf(isChunked: boolean, contentLength: number): BodyEndValue {
  if (isChunked) return BodyEnd.lastChunk;
  if (contentLength < 0) return BodyEnd.close;
  return contentLength === 0 ? BodyEnd.none : BodyEnd.length;
}

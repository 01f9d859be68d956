/**
 * The header section that one client of HTTP/2 is sending, in one frame or in several (RFC 9113 §4.3, §6.2, §6.10). Owns the pieces
 * of an unfinished one, and the state of the client's header compression.
 */
import { Buffer } from 'node:buffer';
import { Flag, Http2Error, type Http2ErrorCode, MAX_PAYLOAD, uint31 } from '../http2/frames.ts';
import { HpackDecoder } from '../http2/hpack-decoder.ts';
import type { EngineLimits } from './limits.ts';

/** CVE-2024-27316. */
const MAX_CONTINUATIONS = 32;
/** Fields that are no fields of HTTP/1: method, scheme, authority, path. */
const PSEUDO_FIELDS = 4;
/** Of a priority: the stream that it depends on, and a weight. */
const PRIORITY_LENGTH = 5;

export class Http2Section {
  /** Its stream … */
  stream = 0;
  /** … of which it is the end. */
  isEnd = false;
  /** It says that its stream depends on itself (RFC 9113 §5.3.1). */
  isSelfDependent = false;
  /** More pieces must follow. */
  isOpen = false;
  /** Milliseconds on the engine's clock. */
  startedAt = 0;
  readonly #decoder: HpackDecoder;
  readonly #maxLength: number;
  #pieces: Buffer[] = [];
  #length = 0;
  #continuations = 0;

  constructor({ maxHeaderSize, maxHeaderCount }: EngineLimits) {
    this.#decoder = new HpackDecoder({ maxSize: maxHeaderSize, maxCount: maxHeaderCount + PSEUDO_FIELDS });
    this.#maxLength = maxHeaderSize + MAX_PAYLOAD;
  }

  /** Names and values in turn, of one that is complete. */
  get fields(): readonly string[] {
    return this.#decoder.fields;
  }

  /** It is more than the limits allow: not all of `fields` are there. */
  get isTooLarge(): boolean {
    return this.#decoder.isTooLarge;
  }

  /** The frame that begins it, with the payload bytes[start, end). Unless `isOpen`, it is complete then. */
  begin(flags: number, stream: number, bytes: Buffer, start: number, end: number, now: number): Http2ErrorCode {
    let from = start;
    let to = end;
    if ((flags & Flag.padded) !== 0) {
      if (from === to) return Http2Error.frameSize;
      to -= bytes[from++] as number;
    }
    this.isSelfDependent = false;
    if ((flags & Flag.priority) !== 0) {
      if (end - from < PRIORITY_LENGTH) return Http2Error.frameSize;
      this.isSelfDependent = uint31(bytes, from) === stream;
      from += PRIORITY_LENGTH;
    }
    if (to < from) return Http2Error.protocol;
    this.stream = stream;
    this.isEnd = (flags & Flag.endStream) !== 0;
    if ((flags & Flag.endHeaders) !== 0) return this.#read(bytes, from, to);
    this.isOpen = true;
    this.startedAt = now;
    this.#length = 0;
    this.#continuations = 0;
    return this.#keep(bytes, from, to);
  }

  /** A frame that continues it. */
  goOn(flags: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (++this.#continuations > MAX_CONTINUATIONS) return Http2Error.calm;
    const code = this.#keep(bytes, start, end);
    if (code !== Http2Error.none || (flags & Flag.endHeaders) === 0) return code;
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.isOpen = false;
    return this.#read(whole, 0, whole.length);
  }

  #keep(bytes: Buffer, start: number, end: number): Http2ErrorCode {
    this.#length += end - start;
    if (this.#length > this.#maxLength) return Http2Error.calm;
    this.#pieces.push(Buffer.from(bytes.subarray(start, end)));
    return Http2Error.none;
  }

  #read(bytes: Buffer, start: number, end: number): Http2ErrorCode {
    return this.#decoder.read(bytes, start, end) ? Http2Error.none : Http2Error.compression;
  }
}

/**
 * Reads the content of a request, by Content-Length or chunked (RFC 9112 §6 and §7), and drops it. Needs no memory but its
 * state; every octet is looked at once, and the data of chunks not at all.
 */
import { MAX_CHUNK_EXTENSIONS, MAX_CHUNK_SIZE_DIGITS, type RequestLimits } from './limits.ts';
import {
  BACKSLASH,
  COLON,
  CR,
  EQUALS,
  FIELD_VALUE,
  HEX_VALUE,
  HTAB,
  LF,
  QUOTE,
  QUOTED_TEXT,
  SEMICOLON,
  SP,
  TOKEN,
} from './octets.ts';
import { Outcome, type OutcomeValue } from './outcome.ts';
import type { Cause } from './refusals.ts';

const State = {
  counted: 0,
  sizeStart: 1,
  size: 2,
  spaceBeforeSemicolon: 3,
  spaceBeforeName: 4,
  name: 5,
  spaceAfterName: 6,
  spaceBeforeValue: 7,
  value: 8,
  quoted: 9,
  quotedPair: 10,
  afterQuoted: 11,
  sizeEnd: 12,
  data: 13,
  dataCr: 14,
  dataLf: 15,
  trailerStart: 16,
  trailerName: 17,
  trailerValue: 18,
  trailerEnd: 19,
  lastLf: 20,
} as const;
type StateValue = (typeof State)[keyof typeof State];

export class BodyParser {
  /** Index after the last octet that was read. */
  position = 0;
  /** Why the request is refused; set by the outcome `refused`. */
  cause: Cause = 'chunkSizeInvalid';

  readonly #limits: RequestLimits;
  #state: StateValue = State.counted;
  /** Octets of content, or of this chunk, that are still to come. */
  #remaining = 0;
  /** Octets of content in all chunks so far, this one's included. */
  #total = 0;
  #sizeDigits = 0;
  #extensionOctets = 0;
  #trailerOctets = 0;
  #trailerCount = 0;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  /** Makes ready for content that is chunked or `length` octets long. */
  begin(isChunked: boolean, length: number): void {
    this.#state = isChunked ? State.sizeStart : State.counted;
    this.#remaining = isChunked ? 0 : length;
    this.#total = 0;
    this.#extensionOctets = 0;
    this.#trailerOctets = 0;
    this.#trailerCount = 0;
  }

  read(bytes: Uint8Array, from: number, end: number): OutcomeValue {
    let i = from;
    while (i < end) {
      const state = this.#state;
      if (state === State.counted || state === State.data) {
        const taken = Math.min(this.#remaining, end - i);
        this.#remaining -= taken;
        i += taken;
        if (this.#remaining > 0) break;
        if (state === State.counted) return this.#end(Outcome.complete, i);
        this.#state = State.dataCr;
        continue;
      }
      const octet = bytes[i++] as number;
      if (state >= State.trailerStart) {
        const cause = this.#takeTrailer(octet);
        if (state === State.lastLf && cause === null) return this.#end(Outcome.complete, i);
        if (cause !== null) return this.#refuse(cause, i);
      } else if (state >= State.sizeEnd || state <= State.size) {
        const cause = this.#takeFraming(octet);
        if (cause !== null) return this.#refuse(cause, i);
      } else {
        if (++this.#extensionOctets > MAX_CHUNK_EXTENSIONS) return this.#refuse('chunkExtensionsTooLarge', i);
        if (!this.#takeExtension(octet)) return this.#refuse('chunkExtensionInvalid', i);
      }
    }
    return this.#end(Outcome.needMore, i);
  }

  #end(outcome: OutcomeValue, position: number): OutcomeValue {
    this.position = position;
    return outcome;
  }

  #refuse(cause: Cause, position: number): OutcomeValue {
    this.cause = cause;
    return this.#end(Outcome.refused, position);
  }

  /** The chunk size and the line ends around the data. */
  #takeFraming(octet: number): Cause | null {
    switch (this.#state) {
      case State.sizeStart:
        this.#remaining = 0;
        this.#sizeDigits = 0;
        this.#state = State.size;
        return this.#takeSizeDigit(octet) ? null : 'chunkSizeInvalid';
      case State.size:
        if (octet === CR) this.#state = State.sizeEnd;
        else if (octet === SEMICOLON) this.#state = State.spaceBeforeName;
        else if (octet === SP || octet === HTAB) this.#state = State.spaceBeforeSemicolon;
        else if (!this.#takeSizeDigit(octet)) return 'chunkSizeInvalid';
        return null;
      case State.sizeEnd:
        if (octet !== LF) return 'lineEndInvalid';
        this.#total += this.#remaining;
        if (this.#total > this.#limits.maxBodySize) return 'bodyTooLarge';
        this.#state = this.#remaining > 0 ? State.data : State.trailerStart;
        return null;
      case State.dataCr:
        if (octet !== CR) return 'chunkEndInvalid';
        this.#state = State.dataLf;
        return null;
      default:
        // State.dataLf
        if (octet !== LF) return 'chunkEndInvalid';
        this.#state = State.sizeStart;
        return null;
    }
  }

  #takeSizeDigit(octet: number): boolean {
    const digit = HEX_VALUE[octet] as number;
    if (digit < 0 || this.#sizeDigits++ === MAX_CHUNK_SIZE_DIGITS) return false;
    // Held just above the limit, so that no size overflows.
    this.#remaining = Math.min(this.#remaining * 16 + digit, this.#limits.maxBodySize + 1);
    return true;
  }

  /** chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) */
  #takeExtension(octet: number): boolean {
    const isSpace = octet === SP || octet === HTAB;
    switch (this.#state) {
      case State.spaceBeforeSemicolon:
        if (octet === SEMICOLON) this.#state = State.spaceBeforeName;
        return isSpace || octet === SEMICOLON;
      case State.spaceBeforeName:
        if (isSpace) return true;
        this.#state = State.name;
        return TOKEN[octet] === 1;
      case State.name:
        if (TOKEN[octet] === 1) return true;
        return this.#takeAfterName(octet, isSpace);
      case State.spaceAfterName:
        return this.#takeAfterName(octet, isSpace);
      case State.spaceBeforeValue:
        if (isSpace) return true;
        this.#state = octet === QUOTE ? State.quoted : State.value;
        return octet === QUOTE || TOKEN[octet] === 1;
      case State.value:
        if (TOKEN[octet] === 1) return true;
        return this.#takeAfterValue(octet, isSpace);
      case State.quoted:
        if (octet === QUOTE) this.#state = State.afterQuoted;
        else if (octet === BACKSLASH) this.#state = State.quotedPair;
        else return QUOTED_TEXT[octet] === 1;
        return true;
      case State.quotedPair:
        this.#state = State.quoted;
        return FIELD_VALUE[octet] === 1;
      default:
        // State.afterQuoted
        return this.#takeAfterValue(octet, isSpace);
    }
  }

  #takeAfterName(octet: number, isSpace: boolean): boolean {
    if (octet === EQUALS) this.#state = State.spaceBeforeValue;
    else if (isSpace) this.#state = State.spaceAfterName;
    // White space is allowed before "=" and ";" only, never before the end of the line.
    else if (octet === CR && this.#state === State.name) this.#state = State.sizeEnd;
    else if (octet === SEMICOLON) this.#state = State.spaceBeforeName;
    else return false;
    return true;
  }

  #takeAfterValue(octet: number, isSpace: boolean): boolean {
    if (isSpace) this.#state = State.spaceBeforeSemicolon;
    else if (octet === CR) this.#state = State.sizeEnd;
    else if (octet === SEMICOLON) this.#state = State.spaceBeforeName;
    else return false;
    return true;
  }

  /** Trailer fields have the syntax and the limits of header fields; none of them is heeded (RFC 9110 §6.5.1). */
  #takeTrailer(octet: number): Cause | null {
    if (++this.#trailerOctets > this.#limits.maxHeaderSize) return 'trailersTooLarge';
    switch (this.#state) {
      case State.trailerStart:
        if (octet === CR) {
          this.#state = State.lastLf;
          return null;
        }
        if (octet === SP || octet === HTAB) return 'lineFolded';
        if (this.#trailerCount++ === this.#limits.maxHeaderCount) return 'trailersTooLarge';
        this.#state = State.trailerName;
        return TOKEN[octet] === 1 ? null : 'fieldNameInvalid';
      case State.trailerName:
        if (octet === COLON) this.#state = State.trailerValue;
        else if (TOKEN[octet] !== 1) return 'fieldNameInvalid';
        return null;
      case State.trailerValue:
        if (octet === CR) this.#state = State.trailerEnd;
        else if (FIELD_VALUE[octet] !== 1) return octet === LF ? 'lineEndInvalid' : 'fieldValueInvalid';
        return null;
      default:
        // State.trailerEnd or State.lastLf
        if (octet !== LF) return 'lineEndInvalid';
        this.#state = State.trailerStart;
        return null;
    }
  }
}

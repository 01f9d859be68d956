/**
 * Reads the content of a message, by Content-Length or chunked (RFC 9112 §6 and §7), and says where it is. Pure: it owns no
 * bytes and never reads the content itself.
 */
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
} from './byte-classes.ts';
import { MAX_CHUNK_EXTENSIONS, MAX_CHUNK_SIZE_DIGITS, type MessageLimits } from './limits.ts';
import { Outcome, type OutcomeValue } from './outcome.ts';
import type { RefusalReason } from './refusals.ts';

/** What is being read. Each part has its own method, and its own steps. */
const Part = { counted: 0, size: 1, extension: 2, data: 3, trailer: 4 } as const;
type PartValue = (typeof Part)[keyof typeof Part];

/** Steps within a part. */
const Step = {
  // Part.size: the size and the line ends around the data
  sizeStart: 0,
  sizeDigits: 1,
  sizeEnd: 2,
  dataCr: 3,
  dataLf: 4,
  // Part.extension
  spaceBeforeSemicolon: 5,
  spaceBeforeName: 6,
  name: 7,
  spaceAfterName: 8,
  spaceBeforeValue: 9,
  value: 10,
  quoted: 11,
  quotedPair: 12,
  afterQuoted: 13,
  // Part.trailer
  lineStart: 14,
  fieldName: 15,
  fieldValue: 16,
  lineEnd: 17,
  sectionEnd: 18,
} as const;
type StepValue = (typeof Step)[keyof typeof Step];

export class BodyParser {
  /** Index after the last byte that was read. */
  position = 0;
  /** After `content`: where it is. */
  contentStart = 0;
  contentEnd = 0;
  /** bytes[trailerStart, position) of this read belong to the trailer section, its empty line included; -1: none do. */
  trailerStart = -1;
  /** Set by the outcome `refused`. */
  refusalReason: RefusalReason = 'chunkSizeInvalid';

  readonly #limits: MessageLimits;
  #part: PartValue = Part.counted;
  #step: StepValue = Step.sizeStart;
  /** Bytes of content, or of this chunk, that are still to come. */
  #remaining = 0;
  /** Bytes of content in all chunks so far, including this one. */
  #total = 0;
  #sizeDigits = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #trailerCount = 0;

  constructor(limits: MessageLimits) {
    this.#limits = limits;
  }

  /** Prepares for content that is chunked or `length` bytes long. */
  begin(isChunked: boolean, length: number): void {
    this.#part = isChunked ? Part.size : Part.counted;
    this.#step = Step.sizeStart;
    this.#remaining = isChunked ? 0 : length;
    this.#total = 0;
    this.#extensionBytes = 0;
    this.#trailerBytes = 0;
    this.#trailerCount = 0;
  }

  /** Reads bytes[from, end), up to the next piece of content at most. */
  read(bytes: Uint8Array, from: number, end: number): OutcomeValue {
    let i = from;
    this.trailerStart = -1;
    if (this.#part === Part.counted && this.#remaining === 0) return this.#end(Outcome.complete, i);
    while (i < end) {
      switch (this.#part) {
        case Part.counted:
        case Part.data:
          return this.#takeContent(i, end);
        case Part.size: {
          const reason = this.#takeFraming(bytes[i++] as number);
          if (reason !== null) return this.#refuse(reason, i);
          break;
        }
        case Part.extension:
          if (++this.#extensionBytes > MAX_CHUNK_EXTENSIONS) return this.#refuse('chunkExtensionsTooLarge', i + 1);
          if (!this.#takeExtension(bytes[i++] as number)) return this.#refuse('chunkExtensionInvalid', i);
          break;
        case Part.trailer: {
          if (this.trailerStart < 0) this.trailerStart = i;
          const isLast = this.#step === Step.sectionEnd;
          const reason = this.#takeTrailer(bytes[i++] as number);
          if (reason !== null) return this.#refuse(reason, i);
          if (isLast) return this.#end(Outcome.complete, i);
          break;
        }
      }
    }
    return this.#end(Outcome.needMore, i);
  }

  #takeContent(from: number, end: number): OutcomeValue {
    const taken = Math.min(this.#remaining, end - from);
    this.#remaining -= taken;
    this.contentStart = from;
    this.contentEnd = from + taken;
    if (this.#remaining === 0 && this.#part === Part.data) {
      this.#part = Part.size;
      this.#step = Step.dataCr;
    }
    return this.#end(Outcome.content, from + taken);
  }

  #end(outcome: OutcomeValue, position: number): OutcomeValue {
    this.position = position;
    return outcome;
  }

  #refuse(reason: RefusalReason, position: number): OutcomeValue {
    this.refusalReason = reason;
    return this.#end(Outcome.refused, position);
  }

  /** The chunk size and the line ends around the data. */
  #takeFraming(byte: number): RefusalReason | null {
    switch (this.#step) {
      case Step.sizeStart:
        this.#remaining = 0;
        this.#sizeDigits = 0;
        this.#step = Step.sizeDigits;
        return this.#takeSizeDigit(byte) ? null : 'chunkSizeInvalid';
      case Step.sizeDigits:
        if (byte === CR) this.#step = Step.sizeEnd;
        else if (byte === SEMICOLON) this.#enterExtension(Step.spaceBeforeName);
        else if (byte === SP || byte === HTAB) this.#enterExtension(Step.spaceBeforeSemicolon);
        else if (!this.#takeSizeDigit(byte)) return 'chunkSizeInvalid';
        return null;
      case Step.sizeEnd:
        if (byte !== LF) return 'lineEndInvalid';
        this.#total += this.#remaining;
        if (this.#total > this.#limits.maxBodySize) return 'bodyTooLarge';
        if (this.#remaining > 0) {
          this.#part = Part.data;
        } else {
          this.#part = Part.trailer;
          this.#step = Step.lineStart;
        }
        return null;
      case Step.dataCr:
        if (byte !== CR) return 'chunkEndInvalid';
        this.#step = Step.dataLf;
        return null;
      default:
        // Step.dataLf
        if (byte !== LF) return 'chunkEndInvalid';
        this.#step = Step.sizeStart;
        return null;
    }
  }

  #takeSizeDigit(byte: number): boolean {
    const digit = HEX_VALUE[byte] as number;
    if (digit < 0 || this.#sizeDigits++ === MAX_CHUNK_SIZE_DIGITS) return false;
    // Held just above the limit, so that no size overflows.
    this.#remaining = Math.min(this.#remaining * 16 + digit, this.#limits.maxBodySize + 1);
    return true;
  }

  #enterExtension(step: StepValue): void {
    this.#part = Part.extension;
    this.#step = step;
  }

  /** The CR after an extension: back to the framing. */
  #leaveExtension(): void {
    this.#part = Part.size;
    this.#step = Step.sizeEnd;
  }

  /** chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) */
  #takeExtension(byte: number): boolean {
    const isSpace = byte === SP || byte === HTAB;
    switch (this.#step) {
      case Step.spaceBeforeSemicolon:
        if (byte === SEMICOLON) this.#step = Step.spaceBeforeName;
        return isSpace || byte === SEMICOLON;
      case Step.spaceBeforeName:
        if (isSpace) return true;
        this.#step = Step.name;
        return TOKEN[byte] === 1;
      case Step.name:
        if (TOKEN[byte] === 1) return true;
        return this.#takeAfterName(byte, isSpace);
      case Step.spaceAfterName:
        return this.#takeAfterName(byte, isSpace);
      case Step.spaceBeforeValue:
        if (isSpace) return true;
        this.#step = byte === QUOTE ? Step.quoted : Step.value;
        return byte === QUOTE || TOKEN[byte] === 1;
      case Step.value:
        if (TOKEN[byte] === 1) return true;
        return this.#takeAfterValue(byte, isSpace);
      case Step.quoted:
        if (byte === QUOTE) this.#step = Step.afterQuoted;
        else if (byte === BACKSLASH) this.#step = Step.quotedPair;
        else return QUOTED_TEXT[byte] === 1;
        return true;
      case Step.quotedPair:
        this.#step = Step.quoted;
        return FIELD_VALUE[byte] === 1;
      default:
        // Step.afterQuoted
        return this.#takeAfterValue(byte, isSpace);
    }
  }

  #takeAfterName(byte: number, isSpace: boolean): boolean {
    if (byte === EQUALS) this.#step = Step.spaceBeforeValue;
    else if (isSpace) this.#step = Step.spaceAfterName;
    // White space is allowed only before "=" and ";", never before the end of the line.
    else if (byte === CR && this.#step === Step.name) this.#leaveExtension();
    else if (byte === SEMICOLON) this.#step = Step.spaceBeforeName;
    else return false;
    return true;
  }

  #takeAfterValue(byte: number, isSpace: boolean): boolean {
    if (isSpace) this.#step = Step.spaceBeforeSemicolon;
    else if (byte === CR) this.#leaveExtension();
    else if (byte === SEMICOLON) this.#step = Step.spaceBeforeName;
    else return false;
    return true;
  }

  /** Trailer fields have the syntax and the limits of header fields; none of them is used (RFC 9110 §6.5.1). */
  #takeTrailer(byte: number): RefusalReason | null {
    if (++this.#trailerBytes > this.#limits.maxHeaderSize) return 'trailersTooLarge';
    switch (this.#step) {
      case Step.lineStart:
        if (byte === CR) {
          this.#step = Step.sectionEnd;
          return null;
        }
        if (byte === SP || byte === HTAB) return 'lineFolded';
        if (this.#trailerCount++ === this.#limits.maxHeaderCount) return 'trailersTooLarge';
        this.#step = Step.fieldName;
        return TOKEN[byte] === 1 ? null : 'fieldNameInvalid';
      case Step.fieldName:
        if (byte === COLON) this.#step = Step.fieldValue;
        else if (TOKEN[byte] !== 1) return 'fieldNameInvalid';
        return null;
      case Step.fieldValue:
        if (byte === CR) this.#step = Step.lineEnd;
        else if (FIELD_VALUE[byte] !== 1) return byte === LF ? 'lineEndInvalid' : 'fieldValueInvalid';
        return null;
      default:
        // Step.lineEnd or Step.sectionEnd
        if (byte !== LF) return 'lineEndInvalid';
        this.#step = Step.lineStart;
        return null;
    }
  }
}

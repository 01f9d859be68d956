/**
 * Incremental parser for multipart/form-data (RFC 7578, RFC 2046 §5.1). The result does not depend on how the input is split. It
 * buffers only possible starts of boundaries and unfinished part heads; content is passed on as views of the input.
 */
import { Buffer } from 'node:buffer';
import { isToken, parseParameterized } from './field-syntax.ts';
import { type PartHead, parsePartHead } from './part-head.ts';

export interface MultipartLimits {
  /** Default 1000. */
  readonly maxParts: number;
  /** Of the head of one part. Default 8 KiB. */
  readonly maxHeaderBytes: number;
  /** Of a part without a filename. Default 1 MiB. */
  readonly maxFieldBytes: number;
  /** Of a part with a filename. Default 16 MiB. */
  readonly maxFileBytes: number;
  /** Of the whole content, boundaries included. Default 32 MiB. */
  readonly maxTotalBytes: number;
}

export const MULTIPART_DEFAULTS: MultipartLimits = {
  maxParts: 1000,
  maxHeaderBytes: 8 * 1024,
  maxFieldBytes: 1024 * 1024,
  maxFileBytes: 16 * 1024 * 1024,
  maxTotalBytes: 32 * 1024 * 1024,
};

/** Receives the parts. Views are valid only during the call. */
export interface PartSink {
  onPart(head: PartHead): void;
  onData(bytes: Uint8Array): void;
  onPartEnd(): void;
}

export type MultipartFault =
  | 'boundaryMalformed'
  | 'partHeadMalformed'
  | 'partHeadTooLarge'
  | 'endMissing'
  | 'tooManyParts'
  | 'fieldTooLarge'
  | 'fileTooLarge'
  | 'contentTooLarge';

/** RFC 2046 §5.1.1. */
const MAX_BOUNDARY_LENGTH = 70;
/** White space after a boundary is allowed (RFC 2046 §5.1.1), but unusual. */
const MAX_PADDING = 64;
const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');
const NOTHING = Buffer.alloc(0);

/** The boundary in a Content-Type; null unless it is multipart/form-data with a valid boundary. */
export function multipartBoundary(contentType: string | null): string | null {
  const parsed = contentType === null ? null : parseParameterized(contentType);
  const boundary = parsed?.value === 'multipart/form-data' ? parsed.parameters.get('boundary') : undefined;
  if (boundary === undefined || boundary.length > MAX_BOUNDARY_LENGTH) return null;
  return /^[0-9A-Za-z'()+_,\-./:=? ]*[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary) || isToken(boundary) ? boundary : null;
}

/** What the next bytes belong to. */
const State = { preamble: 0, afterBoundary: 1, head: 2, dataStart: 3, data: 4, epilogue: 5 } as const;
type StateValue = (typeof State)[keyof typeof State];

export class MultipartParser {
  readonly #limits: MultipartLimits;
  readonly #sink: PartSink;
  /** CRLF "--" boundary */
  readonly #delimiter: Buffer;
  #state: StateValue = State.preamble;
  #fault: MultipartFault | null = null;
  /** Unconsumed input. Starts with a CRLF, because the first boundary has none before it if there is no preamble. */
  #kept: Buffer = Buffer.from('\r\n', 'latin1');
  #total = 0;
  #parts = 0;
  #partBytes = 0;
  #isFile = false;

  constructor(boundary: string, sink: PartSink, limits: MultipartLimits = MULTIPART_DEFAULTS) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Null: no fault so far. After a fault the sink gets nothing more. */
  push(bytes: Uint8Array): MultipartFault | null {
    if (this.#fault !== null) return this.#fault;
    // Parse what fits first, so that every split finds the same fault.
    const length = Math.min(bytes.length, this.#limits.maxTotalBytes - this.#total);
    this.#total += length;
    if (length > 0 && this.#state !== State.epilogue) this.#take(Buffer.from(bytes.buffer, bytes.byteOffset, length));
    return this.#fault ?? (length < bytes.length ? this.#fail('contentTooLarge') : null);
  }

  /** Call at the end of the content. */
  end(): MultipartFault | null {
    if (this.#fault !== null) return this.#fault;
    return this.#state === State.epilogue ? null : this.#fail('endMissing');
  }

  #take(bytes: Buffer): void {
    const input = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    const consumed = this.#parse(input);
    if (this.#fault !== null) return;
    // Copied: the caller may reuse its buffer.
    this.#kept = consumed === input.length ? NOTHING : Buffer.from(input.subarray(consumed));
  }

  /** Returns how many bytes of `input` were consumed. */
  #parse(input: Buffer): number {
    let at = 0;
    while (this.#fault === null) {
      const before = at;
      const state = this.#state;
      if (state === State.preamble || state === State.data) at = this.#readData(input, at);
      else if (state === State.afterBoundary) at = this.#readBoundaryEnd(input, at);
      else if (state === State.head) at = this.#readHead(input, at);
      else if (state === State.dataStart) at = this.#readDataStart(input, at);
      else return input.length;
      if (at === before && state === this.#state) return at;
    }
    return at;
  }

  /** Content up to the next boundary. */
  #readData(input: Buffer, at: number): number {
    const delimiter = this.#delimiter;
    const found = input.indexOf(delimiter, at);
    if (found >= 0) {
      if (!this.#give(input, at, found)) return at;
      if (this.#state === State.data) this.#sink.onPartEnd();
      this.#state = State.afterBoundary;
      return found + delimiter.length;
    }
    const end = startOfPossible(input, at, delimiter);
    this.#give(input, at, end);
    return end;
  }

  /** After a boundary: "--" ends the form; white space and CRLF start a part. */
  #readBoundaryEnd(input: Buffer, at: number): number {
    if (input.length - at < 2) return at;
    if (input[at] === 0x2d && input[at + 1] === 0x2d) {
      this.#state = State.epilogue;
      return input.length;
    }
    let i = at;
    while (input[i] === 0x20 || input[i] === 0x09) i++;
    if (i - at > MAX_PADDING) this.#fail('boundaryMalformed');
    else if (i + 1 < input.length) {
      if (input[i] !== 0x0d || input[i + 1] !== 0x0a) this.#fail('boundaryMalformed');
      else if (++this.#parts > this.#limits.maxParts) this.#fail('tooManyParts');
      else {
        this.#state = State.head;
        return i + 2;
      }
    } else if (i < input.length && input[i] !== 0x0d) this.#fail('boundaryMalformed');
    return at;
  }

  #readHead(input: Buffer, at: number): number {
    const end = input.indexOf(HEAD_END, at);
    if ((end < 0 ? input.length - HEAD_END.length + 1 : end) - at > this.#limits.maxHeaderBytes) {
      this.#fail('partHeadTooLarge');
      return at;
    }
    if (end < 0) return at;
    const head = parsePartHead(input.toString('utf8', at, end));
    if (head === null) {
      this.#fail('partHeadMalformed');
      return at;
    }
    this.#isFile = head.filename !== null;
    this.#partBytes = 0;
    this.#sink.onPart(head);
    this.#state = State.dataStart;
    return end + HEAD_END.length;
  }

  /** In a part without content, the CRLF that ends the head also starts the next boundary (RFC 2046 §5.1.1). */
  #readDataStart(input: Buffer, at: number): number {
    const wanted = this.#delimiter.length - 2;
    const has = Math.min(input.length - at, wanted);
    const isBoundary = input.compare(this.#delimiter, 2, 2 + has, at, at + has) === 0;
    if (!isBoundary) {
      this.#state = State.data;
      return at;
    }
    if (has < wanted) return at;
    this.#sink.onPartEnd();
    this.#state = State.afterBoundary;
    return at + wanted;
  }

  /** Passes content on; false if it exceeds the limit. Drops the preamble. */
  #give(input: Buffer, from: number, to: number): boolean {
    if (from === to || this.#state === State.preamble) return true;
    this.#partBytes += to - from;
    if (this.#partBytes > (this.#isFile ? this.#limits.maxFileBytes : this.#limits.maxFieldBytes)) {
      this.#fail(this.#isFile ? 'fileTooLarge' : 'fieldTooLarge');
      return false;
    }
    this.#sink.onData(input.subarray(from, to));
    return true;
  }

  #fail(fault: MultipartFault): MultipartFault {
    this.#fault = fault;
    this.#kept = NOTHING;
    return fault;
  }
}

/** The index at which an unfinished delimiter may start; the end of `input` if none does. */
function startOfPossible(input: Buffer, at: number, delimiter: Buffer): number {
  for (let from = Math.max(at, input.length - delimiter.length + 1); from < input.length; from++) {
    if (input[from] === 0x0d && input.compare(delimiter, 0, input.length - from, from) === 0) return from;
  }
  return input.length;
}

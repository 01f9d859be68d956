/**
 * Reads a request line and the empty lines before it (RFC 9112 §2.2 and §3) from bytes that arrive in any pieces. Pure: it
 * owns no bytes; positions count from the first byte of the head.
 */
import { ASTERISK, CR, isDigit, LF, PATH, QUERY, QUESTION, SLASH, SP, TOKEN } from './byte-classes.ts';
import { authorityOfAbsoluteForm, isAuthorityForm } from './host.ts';
import { MAX_EMPTY_LINES, type RequestLimits } from './limits.ts';
import { Method, type MethodValue, methodOf } from './method.ts';
import { Outcome, type OutcomeValue } from './outcome.ts';
import type { RefusalReason } from './refusals.ts';

/** In the order of the bytes, except that a target is either path and query, or one of the other forms. */
const State = {
  emptyLine: 0,
  emptyLineEnd: 1,
  method: 2,
  targetStart: 3,
  path: 4,
  query: 5,
  otherForm: 6,
  version: 7,
  lineEnd: 8,
} as const;
type StateValue = (typeof State)[keyof typeof State];

const VERSION = 'HTTP/d.d';

export class RequestLineParser {
  /** Index after the last byte that was read. */
  position = 0;
  /** Set by the outcome `refused`. */
  refusalReason: RefusalReason = 'methodNotToken';
  method: MethodValue = Method.other;
  methodStart = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** Where the query begins, after its "?"; -1 if the target is in another form than origin-form or has none. */
  queryStart = -1;
  /** 0 or 1 once the line is complete. */
  minorVersion = 1;

  readonly #limits: RequestLimits;
  #state: StateValue = State.emptyLine;
  #emptyLines = 0;
  #majorVersion = 1;
  /** Position within VERSION. */
  #versionIndex = 0;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  /** Nothing has arrived yet, except perhaps empty lines. */
  get isUnbegun(): boolean {
    return this.#state === State.emptyLine || this.#state === State.emptyLineEnd;
  }

  reset(): void {
    this.#state = State.emptyLine;
    this.method = Method.other;
    this.queryStart = -1;
    this.#emptyLines = 0;
    this.#versionIndex = 0;
  }

  /** Reads bytes[from, end); bytes[base] is the head's first byte. */
  read(bytes: Uint8Array, base: number, from: number, end: number): OutcomeValue {
    let state: StateValue = this.#state;
    let i = from;
    // Scanning stops at the limit or at the end of the bytes, whichever comes first: a refusal does not depend on the cuts.
    let limit = this.#isMeasured(state)
      ? base + this.methodStart + this.#limits.maxRequestLine
      : Number.MAX_SAFE_INTEGER;
    let stop = limit < end ? limit : end;

    while (i < stop) {
      if (state === State.emptyLine) {
        if (bytes[i] === CR) {
          if (this.#emptyLines++ === MAX_EMPTY_LINES) return this.#refuse('tooManyEmptyLines', i);
          i++;
          state = State.emptyLineEnd;
          continue;
        }
        this.methodStart = i - base;
        state = State.method;
        limit = i + this.#limits.maxRequestLine;
        stop = limit < end ? limit : end;
      }
      if (state === State.emptyLineEnd) {
        if (bytes[i] !== LF) return this.#refuse('lineEndInvalid', i);
        i++;
        state = State.emptyLine;
        continue;
      }
      if (state === State.method) {
        while (i < stop && TOKEN[bytes[i] as number] === 1) i++;
        if (i === stop) break;
        this.methodEnd = i - base;
        if (bytes[i] !== SP || this.methodEnd === this.methodStart) return this.#refuse('methodNotToken', i);
        this.method = methodOf(bytes, base + this.methodStart, i);
        i++;
        this.targetStart = i - base;
        state = State.targetStart;
        if (i === stop) break;
      }
      if (state === State.targetStart) {
        state = bytes[i] === SLASH ? State.path : State.otherForm;
        if (state === State.path && this.method === Method.connect) return this.#refuse('targetFormNotAllowed', i);
      }
      if (state === State.path) {
        while (i < stop && PATH[bytes[i] as number] === 1) i++;
        if (i === stop) break;
        if (bytes[i] === QUESTION) {
          i++;
          this.queryStart = i - base;
          state = State.query;
        }
      }
      if (state === State.query || state === State.otherForm) {
        while (i < stop && QUERY[bytes[i] as number] === 1) i++;
        if (i === stop) break;
      }
      if (state === State.path || state === State.query || state === State.otherForm) {
        if (bytes[i] !== SP) {
          // HTTP/0.9 ends its request line here.
          const isVersionMissing = state !== State.otherForm && bytes[i] === CR;
          return this.#refuse(isVersionMissing ? 'versionInvalid' : 'targetInvalid', i);
        }
        if (i + 1 + VERSION.length > limit) return this.#refuse('requestLineTooLong', i);
        this.targetEnd = i - base;
        const reason = state === State.otherForm ? this.#checkForm(bytes, base) : null;
        if (reason !== null) return this.#refuse(reason, i);
        i++;
        state = State.version;
        // The rest of the line is short, and has just been counted.
        limit = Number.MAX_SAFE_INTEGER;
        stop = end;
        if (i === stop) break;
      }
      if (state === State.version) {
        // Nearly always all of it has arrived; otherwise it is read byte by byte.
        if (this.#versionIndex === 0 && i + VERSION.length < stop && isVersionOne(bytes, i)) {
          this.#majorVersion = 1;
          this.minorVersion = (bytes[i + 7] as number) - 0x30;
          i += VERSION.length;
        } else if (this.#versionIndex < VERSION.length) {
          if (!this.#takeVersion(bytes[i] as number)) return this.#refuse('versionInvalid', i);
          i++;
          continue;
        }
        if (bytes[i] !== CR) return this.#refuse('versionInvalid', i);
        i++;
        state = State.lineEnd;
        if (i === stop) break;
      }
      // State.lineEnd
      if (bytes[i] !== LF) return this.#refuse('lineEndInvalid', i);
      if (this.#majorVersion !== 1 || this.minorVersion > 1) return this.#refuse('versionNotSupported', i);
      this.position = i + 1;
      return Outcome.complete;
    }
    if (i === limit) return this.#refuse(state === State.method ? 'methodTooLong' : 'requestLineTooLong', i);
    this.#state = state;
    this.position = i;
    return Outcome.needMore;
  }

  /** Whether bytes in this state count toward the limit on the request line. */
  #isMeasured(state: StateValue): boolean {
    switch (state) {
      case State.method:
      case State.targetStart:
      case State.path:
      case State.query:
      case State.otherForm:
        return true;
      case State.emptyLine:
      case State.emptyLineEnd:
      case State.version:
      case State.lineEnd:
        return false;
    }
  }

  #refuse(reason: RefusalReason, position: number): OutcomeValue {
    this.refusalReason = reason;
    this.position = position;
    return Outcome.refused;
  }

  /** One byte of the version; false if it does not fit. */
  #takeVersion(byte: number): boolean {
    const index = this.#versionIndex++;
    if (index === 5 || index === 7) {
      if (!isDigit(byte)) return false;
      if (index === 5) this.#majorVersion = byte - 0x30;
      else this.minorVersion = byte - 0x30;
      return true;
    }
    return byte === VERSION.charCodeAt(index);
  }

  /** The forms other than origin-form, each with its own methods (RFC 9112 §3.2). */
  #checkForm(bytes: Uint8Array, base: number): RefusalReason | null {
    const start = base + this.targetStart;
    const end = base + this.targetEnd;
    if (this.method === Method.connect) return isAuthorityForm(bytes, start, end) ? null : 'targetFormNotAllowed';
    if (bytes[start] === ASTERISK && end - start === 1)
      return this.method === Method.options ? null : 'targetFormNotAllowed';
    return authorityOfAbsoluteForm(bytes, start, end) === null ? 'targetInvalid' : null;
  }
}

/** "HTTP/1.0" or "HTTP/1.1" at `i`. */
function isVersionOne(bytes: Uint8Array, i: number): boolean {
  return (
    bytes[i] === 0x48 &&
    bytes[i + 1] === 0x54 &&
    bytes[i + 2] === 0x54 &&
    bytes[i + 3] === 0x50 &&
    bytes[i + 4] === 0x2f &&
    bytes[i + 5] === 0x31 &&
    bytes[i + 6] === 0x2e &&
    ((bytes[i + 7] as number) | 1) === 0x31
  );
}

/**
 * Reads one HTTP/1.x request after the other from octets that arrive in any pieces (RFC 9112). Pure: it owns no octets, no
 * socket and no clock, and never looks at an octet twice.
 *
 * `readHead` and `readBody` answer needMore, complete or refused; `position` says how far they came. A head must lie in one
 * piece: after needMore the caller keeps the octets from the head's first one on and passes them again, lengthened, with
 * `from` where it stopped. Of a body nothing needs to be kept.
 */
import { BodyParser } from './body-parser.ts';
import { Coding, Expectation, HeadFields } from './head-fields.ts';
import { authorityOfAbsoluteForm, isAuthorityForm, isSameAuthority } from './host.ts';
import { MAX_EMPTY_LINES, type RequestLimits } from './limits.ts';
import {
  ASTERISK,
  COLON,
  CR,
  FIELD_VALUE,
  HEX_VALUE,
  HTAB,
  isDigit,
  LF,
  PATH_OR_QUERY,
  PERCENT,
  SLASH,
  SP,
  TOKEN,
  URI,
} from './octets.ts';
import { Outcome, type OutcomeValue } from './outcome.ts';
import type { Cause } from './refusals.ts';
import { isVersionOne, Method, type MethodValue, methodOf } from './words.ts';

const State = {
  emptyLine: 0,
  emptyLineEnd: 1,
  method: 2,
  targetStart: 3,
  originForm: 4,
  escapeFirst: 5,
  escapeSecond: 6,
  otherForm: 7,
  version: 8,
  requestLineEnd: 9,
  fieldStart: 10,
  fieldName: 11,
  fieldValue: 12,
  fieldEnd: 13,
  headEnd: 14,
} as const;
type StateValue = (typeof State)[keyof typeof State];

const VERSION = 'HTTP/d.d';
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

export class RequestParser {
  /** Index after the last octet that was read. */
  position = 0;
  /** Why the request is refused; set by the outcome `refused`. */
  cause: Cause = 'methodNotToken';
  /** After a head: minor version, 0 or 1. */
  minorVersion = 1;
  /** After a head: the client waits for "100 Continue" before it sends content. */
  expectsContinue = false;
  /** After a head: content follows, to be read with `readBody`. */
  hasBody = false;
  /** Where method and target lie, from the head's first octet on. */
  methodStart = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;

  readonly #limits: RequestLimits;
  readonly #fields = new HeadFields();
  /** Made for the first content: most connections never carry any. */
  #body: BodyParser | null = null;
  #state: StateValue = State.emptyLine;
  #method: MethodValue = Method.other;
  #emptyLines = 0;
  #majorVersion = 1;
  /** Position within VERSION. */
  #versionIndex = 0;
  #fieldsStart = 0;
  #fieldCount = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #valueEnd = 0;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  /** The method is HEAD: the answer carries no content. Known from the end of the method on, so also for most refusals. */
  get isHead(): boolean {
    return this.#method === Method.head;
  }

  /** Whether the client lets the connection persist (RFC 9112 §9.3). */
  get persists(): boolean {
    const fields = this.#fields;
    return !fields.saysClose && (this.minorVersion === 1 || fields.saysKeepAlive);
  }

  /** Nothing of a request has arrived but perhaps empty lines. */
  get isBetweenRequests(): boolean {
    return this.#state <= State.emptyLineEnd;
  }

  /** Makes ready for the next head. */
  reset(): void {
    this.#state = State.emptyLine;
    this.#method = Method.other;
    this.#emptyLines = 0;
    this.#versionIndex = 0;
    this.#fieldCount = 0;
    this.expectsContinue = false;
    this.hasBody = false;
    this.#fields.reset();
  }

  /** Reads bytes[from, end); bytes[base] is the head's first octet. On `complete` the fields say what follows. */
  readHead(bytes: Uint8Array, base: number, from: number, end: number): OutcomeValue {
    const limits = this.#limits;
    let state: StateValue = this.#state;
    let i = from;
    // Loops run to the limit of the present section or to the end of the octets, whichever comes first, so that a refusal does
    // not depend on how the octets were cut.
    let limit = this.#limitOf(state, base);
    let stop = limit < end ? limit : end;

    while (i < stop) {
      // Blocks stand in the order of the octets, so that one flows into the next without another turn.
      if (state === State.fieldStart) {
        const octet = bytes[i] as number;
        if (octet === CR) {
          i++;
          state = State.headEnd;
          continue;
        }
        if (octet === SP || octet === HTAB) return this.#refuse('lineFolded', i);
        if (this.#fieldCount++ === limits.maxHeaderCount) return this.#refuse('tooManyFields', i);
        this.#nameStart = i - base;
        state = State.fieldName;
      }
      if (state === State.fieldName) {
        while (i < stop && TOKEN[bytes[i] as number] === 1) i++;
        if (i === stop) break;
        this.#nameEnd = i - base;
        if (bytes[i] !== COLON || this.#nameEnd === this.#nameStart) return this.#refuse('fieldNameInvalid', i);
        i++;
        state = State.fieldValue;
      }
      if (state === State.fieldValue) {
        while (i < stop && FIELD_VALUE[bytes[i] as number] === 1) i++;
        if (i === stop) break;
        const octet = bytes[i] as number;
        if (octet !== CR) return this.#refuse(octet === LF ? 'lineEndInvalid' : 'fieldValueInvalid', i);
        this.#valueEnd = i - base;
        i++;
        state = State.fieldEnd;
        if (i === stop) break;
      }
      if (state === State.fieldEnd) {
        if (bytes[i] !== LF) return this.#refuse('lineEndInvalid', i);
        const nameStart = base + this.#nameStart;
        const nameEnd = base + this.#nameEnd;
        const cause = this.#fields.take(bytes, base, nameStart, nameEnd, base + this.#valueEnd);
        if (cause !== null) return this.#refuse(cause, i);
        i++;
        state = State.fieldStart;
        continue;
      }
      if (state === State.headEnd) {
        if (bytes[i] !== LF) return this.#refuse('lineEndInvalid', i);
        this.position = i + 1;
        return this.#finishHead(bytes, base);
      }

      if (state === State.emptyLine) {
        if (bytes[i] === CR) {
          if (this.#emptyLines++ === MAX_EMPTY_LINES) return this.#refuse('tooManyEmptyLines', i);
          i++;
          state = State.emptyLineEnd;
          continue;
        }
        this.methodStart = i - base;
        state = State.method;
        limit = i + limits.maxRequestLine;
        stop = limit < end ? limit : end;
      }
      if (state === State.method) {
        while (i < stop && TOKEN[bytes[i] as number] === 1) i++;
        if (i === stop) break;
        this.methodEnd = i - base;
        if (bytes[i] !== SP || this.methodEnd === this.methodStart) return this.#refuse('methodNotToken', i);
        this.#method = methodOf(bytes, base + this.methodStart, i);
        i++;
        this.targetStart = i - base;
        state = State.targetStart;
        if (i === stop) break;
      }
      if (state === State.targetStart) {
        if (bytes[i] === SLASH) {
          if (this.#method === Method.connect) return this.#refuse('targetFormNotAllowed', i);
          i++;
          state = State.originForm;
        } else {
          state = State.otherForm;
        }
      }
      if (state === State.originForm || state === State.otherForm) {
        const allowed = state === State.originForm ? PATH_OR_QUERY : URI;
        while (i < stop && allowed[bytes[i] as number] === 1) i++;
        if (i === stop) break;
        if (bytes[i] === PERCENT) {
          i++;
          state = State.escapeFirst;
          continue;
        }
        if (bytes[i] !== SP) {
          // HTTP/0.9 ends its request line here.
          const isLineEnd = state === State.originForm && bytes[i] === CR;
          return this.#refuse(isLineEnd ? 'versionInvalid' : 'targetInvalid', i);
        }
        if (i + 1 + VERSION.length > limit) return this.#refuse('requestLineTooLong', i);
        this.targetEnd = i - base;
        const cause = state === State.originForm ? null : this.#checkForm(bytes, base);
        if (cause !== null) return this.#refuse(cause, i);
        i++;
        state = State.version;
        limit = NO_LIMIT;
        stop = end;
        if (i === stop) break;
      }
      if (state === State.version) {
        // Nearly always all of it is here; else it is taken octet by octet.
        if (this.#versionIndex === 0 && i + VERSION.length < stop && isVersionOne(bytes, i)) {
          this.#majorVersion = 1;
          this.minorVersion = (bytes[i + 7] as number) - 0x30;
          this.#versionIndex = VERSION.length;
          i += VERSION.length;
        } else if (this.#versionIndex < VERSION.length) {
          if (!this.#takeVersion(bytes[i] as number)) return this.#refuse('versionInvalid', i);
          i++;
          continue;
        }
        if (bytes[i] !== CR) return this.#refuse('versionInvalid', i);
        i++;
        state = State.requestLineEnd;
        if (i === stop) break;
      }
      if (state === State.requestLineEnd) {
        if (bytes[i] !== LF) return this.#refuse('lineEndInvalid', i);
        if (this.#majorVersion !== 1 || this.minorVersion > 1) return this.#refuse('versionNotSupported', i);
        i++;
        this.#fieldsStart = i - base;
        state = State.fieldStart;
        limit = i + limits.maxHeaderSize;
        stop = limit < end ? limit : end;
        continue;
      }

      if (state === State.emptyLineEnd) {
        if (bytes[i] !== LF) return this.#refuse('lineEndInvalid', i);
        i++;
        state = State.emptyLine;
        continue;
      }
      // State.escapeFirst or State.escapeSecond
      if ((HEX_VALUE[bytes[i] as number] as number) < 0) return this.#refuse('targetInvalid', i);
      i++;
      state = state === State.escapeFirst ? State.escapeSecond : State.originForm;
    }
    if (i === limit) return this.#refuseLength(state, i);
    this.#state = state;
    this.position = i;
    return Outcome.needMore;
  }

  /** Reads content from bytes[from, end) and drops it; only after a head with `hasBody`. */
  readBody(bytes: Uint8Array, from: number, end: number): OutcomeValue {
    const body = this.#body as BodyParser;
    const outcome = body.read(bytes, from, end);
    this.position = body.position;
    if (outcome === Outcome.refused) this.cause = body.cause;
    return outcome;
  }

  /** Index at which the section that `state` belongs to is too long. */
  #limitOf(state: StateValue, base: number): number {
    if (state >= State.fieldStart) return base + this.#fieldsStart + this.#limits.maxHeaderSize;
    // What follows the target is short by itself, and was counted where the target ended.
    if (state <= State.emptyLineEnd || state >= State.version) return NO_LIMIT;
    return base + this.methodStart + this.#limits.maxRequestLine;
  }

  #refuse(cause: Cause, position: number): OutcomeValue {
    this.cause = cause;
    this.position = position;
    return Outcome.refused;
  }

  /** The limit of the section was reached before its end. */
  #refuseLength(state: StateValue, position: number): OutcomeValue {
    if (state >= State.fieldStart) return this.#refuse('fieldsTooLarge', position);
    return this.#refuse(state === State.method ? 'methodTooLong' : 'requestLineTooLong', position);
  }

  /** One octet of the version; false where it does not fit. */
  #takeVersion(octet: number): boolean {
    const index = this.#versionIndex++;
    if (index === 5 || index === 7) {
      if (!isDigit(octet)) return false;
      if (index === 5) this.#majorVersion = octet - 0x30;
      else this.minorVersion = octet - 0x30;
      return true;
    }
    return octet === VERSION.charCodeAt(index);
  }

  /** The forms of target other than origin-form: each only with its method (RFC 9112 §3.2). */
  #checkForm(bytes: Uint8Array, base: number): Cause | null {
    const start = base + this.targetStart;
    const end = base + this.targetEnd;
    if (this.#method === Method.connect) return isAuthorityForm(bytes, start, end) ? null : 'targetFormNotAllowed';
    if (bytes[start] === ASTERISK && end - start === 1)
      return this.#method === Method.options ? null : 'targetFormNotAllowed';
    return authorityOfAbsoluteForm(bytes, start, end) === null ? 'targetInvalid' : null;
  }

  /** What the fields mean together (RFC 9112 §3.2, §6; RFC 9110 §10.1.1). */
  #finishHead(bytes: Uint8Array, base: number): OutcomeValue {
    const fields = this.#fields;
    const cause = this.#checkFields(bytes, base);
    if (cause !== null) return this.#refuse(cause, this.position);
    const isChunked = fields.coding === Coding.chunked;
    if (isChunked || fields.contentLength > 0) {
      this.hasBody = true;
      // HTTP/1.0 knows no expectations (RFC 9110 §10.1.1).
      this.expectsContinue = fields.expectation === Expectation.continue && this.minorVersion === 1;
      this.#body ??= new BodyParser(this.#limits);
      this.#body.begin(isChunked, fields.contentLength);
    }
    return Outcome.complete;
  }

  #checkFields(bytes: Uint8Array, base: number): Cause | null {
    const fields = this.#fields;
    if (fields.hostStart < 0) {
      if (this.minorVersion === 1) return 'hostMissing';
    } else if (this.#hostDiffers(bytes, base)) {
      return 'hostDiffers';
    }
    if (fields.coding !== Coding.none) {
      if (this.minorVersion === 0) return 'codingInOldVersion';
      if (fields.contentLength >= 0) return 'lengthAndCoding';
      if (fields.coding === Coding.unknownThenChunked) return 'codingNotImplemented';
      if (fields.coding !== Coding.chunked) return 'codingInvalid';
    }
    if (fields.contentLength > this.#limits.maxBodySize) return 'bodyTooLarge';
    if (this.#method === Method.connect) return 'connectNotImplemented';
    if (fields.expectation === Expectation.unknown && this.minorVersion === 1) return 'expectationUnknown';
    return null;
  }

  /** Only absolute-form names a host that Host must repeat (RFC 9112 §3.2.2). */
  #hostDiffers(bytes: Uint8Array, base: number): boolean {
    const start = base + this.targetStart;
    if (bytes[start] === SLASH || bytes[start] === ASTERISK || this.#method === Method.connect) return false;
    const authority = authorityOfAbsoluteForm(bytes, start, base + this.targetEnd);
    if (authority === null) return true;
    const { hostStart, hostEnd } = this.#fields;
    return !isSameAuthority(bytes, authority, base + hostStart, base + hostEnd);
  }
}

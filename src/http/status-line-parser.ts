/**
 * Reads a status line (RFC 9112 §4) from bytes that arrive in any pieces. Pure: it owns no bytes; positions count from the first
 * byte of the head.
 */
import { CR, DOT, FIELD_VALUE, isDigit, LF, SLASH, SP } from './byte-classes.ts';
import type { ResponseLimits } from './limits.ts';
import { Outcome, type OutcomeValue } from './outcome.ts';
import type { ResponseFault } from './response-faults.ts';

/** HTTP-name and the major version; a letter at a time, because it may be cut anywhere. */
const VERSION = Uint8Array.from([0x48, 0x54, 0x54, 0x50, SLASH, 0x31, DOT]);

/** In the order of the bytes. */
const State = { version: 0, minor: 1, spaceBeforeStatus: 2, status: 3, afterStatus: 4, reason: 5, lineEnd: 6 } as const;
type StateValue = (typeof State)[keyof typeof State];

export class StatusLineParser {
  /** Index after the last byte that was read. */
  position = 0;
  /** Set by the outcome `refused`. */
  fault: ResponseFault = 'statusLineInvalid';
  /** 100 to 599. */
  status = 0;
  minorVersion = 1;
  /** The reason phrase; both the same if there is none. */
  reasonStart = 0;
  reasonEnd = 0;

  readonly #maxLength: number;
  #state: StateValue = State.version;
  /** Bytes read of the version, or digits of the status. */
  #count = 0;

  constructor(limits: ResponseLimits) {
    this.#maxLength = limits.maxStatusLine;
  }

  /** Nothing has been read since the reset. */
  get isUnbegun(): boolean {
    return this.#state === State.version && this.#count === 0;
  }

  reset(): void {
    this.#state = State.version;
    this.#count = 0;
    this.status = 0;
  }

  /** Reads bytes[from, end); bytes[base] is the head's first byte. */
  read(bytes: Uint8Array, base: number, from: number, end: number): OutcomeValue {
    // Scanning stops at the limit or at the end of the bytes, whichever comes first: a refusal does not depend on the cuts.
    const limit = base + this.#maxLength + 2;
    const stop = limit < end ? limit : end;
    let i = from;
    while (i < stop) {
      const byte = bytes[i] as number;
      switch (this.#state) {
        case State.version:
          if (byte !== VERSION[this.#count]) return this.#refuse(this.#faultOfVersion(), i);
          if (++this.#count === VERSION.length) this.#state = State.minor;
          break;
        case State.minor:
          if (byte !== 0x30 && byte !== 0x31) return this.#refuse('responseVersion', i);
          this.minorVersion = byte - 0x30;
          this.#state = State.spaceBeforeStatus;
          break;
        case State.spaceBeforeStatus:
          if (byte !== SP) return this.#refuse(isDigit(byte) ? 'responseVersion' : 'statusLineInvalid', i);
          this.#count = 0;
          this.#state = State.status;
          break;
        case State.status:
          if (!isDigit(byte)) return this.#refuse('statusInvalid', i);
          this.status = this.status * 10 + (byte - 0x30);
          if (++this.#count < 3) break;
          if (this.status < 100 || this.status > 599) return this.#refuse('statusInvalid', i);
          this.#state = State.afterStatus;
          break;
        case State.afterStatus:
          // Many servers leave out the space together with the phrase.
          this.reasonStart = this.reasonEnd = i + 1 - base;
          if (byte === SP) this.#state = State.reason;
          else if (byte === CR) this.#state = State.lineEnd;
          else return this.#refuse(isDigit(byte) ? 'statusInvalid' : 'statusLineInvalid', i);
          break;
        case State.reason:
          if (byte === CR) {
            this.reasonEnd = i - base;
            this.#state = State.lineEnd;
          } else if (FIELD_VALUE[byte] !== 1) {
            return this.#refuse(byte === LF ? 'lineEndInvalid' : 'statusLineInvalid', i);
          }
          break;
        default:
          if (byte !== LF) return this.#refuse('lineEndInvalid', i);
          this.position = i + 1;
          return Outcome.complete;
      }
      i++;
    }
    if (i === limit) return this.#refuse('statusLineTooLong', i);
    this.position = i;
    return Outcome.needMore;
  }

  #faultOfVersion(): ResponseFault {
    return this.#count < 5 ? 'statusLineInvalid' : 'responseVersion';
  }

  #refuse(fault: ResponseFault, position: number): OutcomeValue {
    this.fault = fault;
    this.position = position;
    return Outcome.refused;
  }
}

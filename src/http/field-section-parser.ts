/**
 * Reads a header section up to and including its empty line (RFC 9112 §5) from bytes that arrive in any pieces. Knows no start
 * line, so it serves requests and responses alike. Pure: it owns no bytes; positions count from the first byte of the head.
 */
import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TOKEN } from './byte-classes.ts';
import { FramingHeaders } from './framing-headers.ts';
import type { MessageLimits } from './limits.ts';
import { Outcome, type OutcomeValue } from './outcome.ts';
import type { RefusalReason } from './refusals.ts';

/** In the order of the bytes. */
const State = { lineStart: 0, name: 1, value: 2, lineEnd: 3, sectionEnd: 4 } as const;
type StateValue = (typeof State)[keyof typeof State];

export class FieldSectionParser {
  /** Index after the last byte that was read. */
  position = 0;
  /** Set by the outcome `refused`. */
  refusalReason: RefusalReason = 'fieldNameInvalid';
  /** Where the first field line begins. */
  sectionStart = 0;
  /** Once complete: where the section ends, after its empty line. */
  sectionEnd = 0;
  /** What the fields that decide framing and persistence say. */
  readonly framing: FramingHeaders;

  readonly #limits: MessageLimits;
  #state: StateValue = State.lineStart;
  #fieldCount = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #valueEnd = 0;

  constructor(limits: MessageLimits, framing: FramingHeaders = new FramingHeaders()) {
    this.#limits = limits;
    this.framing = framing;
  }

  /** Prepares for a section that begins at `start`. */
  begin(start: number): void {
    this.sectionStart = start;
    this.#state = State.lineStart;
    this.#fieldCount = 0;
    this.framing.reset();
  }

  /** Reads bytes[from, end); bytes[base] is the head's first byte. */
  read(bytes: Uint8Array, base: number, from: number, end: number): OutcomeValue {
    const { maxHeaderSize, maxHeaderCount } = this.#limits;
    let state: StateValue = this.#state;
    let i = from;
    // Scanning stops at the limit or at the end of the bytes, whichever comes first: a refusal does not depend on the cuts.
    const limit = base + this.sectionStart + maxHeaderSize;
    const stop = limit < end ? limit : end;

    while (i < stop) {
      if (state === State.lineStart) {
        const byte = bytes[i] as number;
        if (byte === CR) {
          i++;
          state = State.sectionEnd;
          continue;
        }
        if (byte === SP || byte === HTAB) return this.#refuse('lineFolded', i);
        if (this.#fieldCount++ === maxHeaderCount) return this.#refuse('tooManyFields', i);
        this.#nameStart = i - base;
        state = State.name;
      }
      if (state === State.name) {
        while (i < stop && TOKEN[bytes[i] as number] === 1) i++;
        if (i === stop) break;
        this.#nameEnd = i - base;
        if (bytes[i] !== COLON || this.#nameEnd === this.#nameStart) return this.#refuse('fieldNameInvalid', i);
        i++;
        state = State.value;
      }
      if (state === State.value) {
        while (i < stop && FIELD_VALUE[bytes[i] as number] === 1) i++;
        if (i === stop) break;
        const byte = bytes[i] as number;
        if (byte !== CR) return this.#refuse(byte === LF ? 'lineEndInvalid' : 'fieldValueInvalid', i);
        this.#valueEnd = i - base;
        i++;
        state = State.lineEnd;
        if (i === stop) break;
      }
      if (bytes[i] !== LF) return this.#refuse('lineEndInvalid', i);
      if (state === State.sectionEnd) {
        this.position = i + 1;
        this.sectionEnd = i + 1 - base;
        return Outcome.complete;
      }
      // State.lineEnd
      const { framing } = this;
      const reason = framing.take(bytes, base, base + this.#nameStart, base + this.#nameEnd, base + this.#valueEnd);
      if (reason !== null) return this.#refuse(reason, i);
      i++;
      state = State.lineStart;
    }
    if (i === limit) return this.#refuse('fieldsTooLarge', i);
    this.#state = state;
    this.position = i;
    return Outcome.needMore;
  }

  #refuse(reason: RefusalReason, position: number): OutcomeValue {
    this.refusalReason = reason;
    this.position = position;
    return Outcome.refused;
  }
}

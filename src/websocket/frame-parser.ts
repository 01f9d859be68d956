/**
 * Reads a client's frames from bytes cut anywhere (RFC 6455 §5, RFC 7692 §6): unmasks them, checks them, and joins fragments. Owns
 * the bytes of an unfinished message and of an unfinished control frame, nothing else.
 */
import { Buffer, isUtf8 } from 'node:buffer';
import { CloseCode, isSendableCloseCode } from './close-codes.ts';
import { turnKey, unmask } from './unmask.ts';
import { Utf8Validator } from './utf8.ts';

export const FrameEvent = { needMore: 0, message: 1, ping: 2, pong: 3, close: 4, failed: 5 } as const;
export type FrameEventValue = (typeof FrameEvent)[keyof typeof FrameEvent];

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What the next byte is. */
const State = { opcode: 0, length: 1, extendedLength: 2, mask: 3, payload: 4, failed: 5 } as const;
type StateValue = (typeof State)[keyof typeof State];

const FIN = 0x80;
const RSV1 = 0x40;
const RSV = 0x70;
const MASKED = 0x80;
const NOT_ASCII = 0x80808080 | 0;
const MAX_CONTROL = 125;
/** A message up to this length gets its memory at once; a longer one as its bytes arrive, so that a length alone costs nothing. */
const AT_ONCE = 64 * 1024;
const NOTHING = Buffer.alloc(0);

export class FrameParser {
  /** Where the event ended in the bytes that were read. */
  position = 0;
  /** The event's payload is payload[start, end), valid until the next read. */
  payload: Buffer = NOTHING;
  start = 0;
  end = 0;
  /** Of a message: text or binary. Uncompressed text is valid UTF-8. */
  isText = false;
  isAscii = false;
  /** Of a message: it must be inflated, and text must then be checked. */
  isCompressed = false;
  /** The payload is not shared: the caller may keep it. */
  isOwned = false;
  /** Of a close frame, 1005 if it has none; of a failure, the code to close with. */
  closeCode: number = CloseCode.none;
  /** Explains a failure. */
  reason = '';

  readonly #maxLength: number;
  readonly #allowsDeflate: boolean;
  #state: StateValue = State.opcode;
  /** First byte of the current frame. */
  #first = 0;
  /** Bytes of the length or the mask that are still to come. */
  #missing = 0;
  /** The least payload length that needs a length field of this size. */
  #shortest = 0;
  #key = 0;
  /** Bytes of the current frame that are still to come. */
  #remaining = 0;
  /** Between the first and the last frame of a message. */
  #isFragmented = false;
  /** Bytes of an unfinished message. */
  #message: Buffer | null = null;
  #messageLength = 0;
  #isMessageAscii = true;
  #utf8: Utf8Validator | null = null;
  /** Bytes of an unfinished control frame. */
  #control: Buffer | null = null;
  #controlLength = 0;

  constructor(maxLength: number, allowsDeflate: boolean) {
    this.#maxLength = maxLength;
    this.#allowsDeflate = allowsDeflate;
  }

  /** Reads bytes[from, to) up to the end of the first event. Unmasks in place. */
  read(bytes: Buffer, from: number, to: number): FrameEventValue {
    this.payload = NOTHING;
    let at = from;
    while (at < to) {
      switch (this.#state) {
        case State.opcode:
          if (!this.#takeOpcode(bytes[at++] as number)) return FrameEvent.failed;
          break;
        case State.length: {
          const byte = bytes[at++] as number;
          if (!this.#takeLength(byte)) return FrameEvent.failed;
          break;
        }
        case State.extendedLength: {
          const byte = bytes[at++] as number;
          if (!this.#takeExtendedLength(byte)) return FrameEvent.failed;
          break;
        }
        case State.mask: {
          this.#key = (this.#key >>> 8) | ((bytes[at++] as number) << 24);
          if (--this.#missing > 0) break;
          this.#state = State.payload;
          if (this.#remaining > 0) break;
          // An empty payload is complete without another byte.
          const event = this.#takePayload(bytes, at, at);
          this.position = at;
          if (event !== FrameEvent.needMore) return event;
          break;
        }
        case State.payload: {
          const end = Math.min(to, at + this.#remaining);
          const event = this.#takePayload(bytes, at, end);
          at = end;
          this.position = at;
          if (event !== FrameEvent.needMore) return event;
          break;
        }
        default:
          return FrameEvent.failed;
      }
    }
    this.position = at;
    return FrameEvent.needMore;
  }

  #takeOpcode(byte: number): boolean {
    const opcode = byte & 0x0f;
    this.#first = byte;
    this.#state = State.length;
    if ((byte & RSV) !== 0) {
      const isFirstOfMessage = opcode === Opcode.text || opcode === Opcode.binary;
      if ((byte & RSV) !== RSV1 || !this.#allowsDeflate || !isFirstOfMessage)
        return this.#fail(CloseCode.protocolError, 'a reserved bit is set');
    }
    switch (opcode) {
      case Opcode.continuation:
        if (!this.#isFragmented) return this.#fail(CloseCode.protocolError, 'nothing to continue');
        return true;
      case Opcode.text:
      case Opcode.binary:
        if (this.#isFragmented) return this.#fail(CloseCode.protocolError, 'a message within a message');
        this.isText = opcode === Opcode.text;
        this.isCompressed = (byte & RSV1) !== 0;
        return true;
      case Opcode.close:
      case Opcode.ping:
      case Opcode.pong:
        if ((byte & FIN) === 0) return this.#fail(CloseCode.protocolError, 'a control frame in fragments');
        return true;
      default:
        return this.#fail(CloseCode.protocolError, 'a reserved opcode');
    }
  }

  #takeLength(byte: number): boolean {
    if ((byte & MASKED) === 0) return this.#fail(CloseCode.protocolError, 'a frame without a mask');
    const length = byte & 0x7f;
    if (length < 126) {
      this.#remaining = length;
      return this.#endLength();
    }
    if (this.#first & 0x08) return this.#fail(CloseCode.protocolError, 'a control frame of more than 125 bytes');
    this.#remaining = 0;
    this.#missing = length === 126 ? 2 : 8;
    this.#shortest = length === 126 ? 126 : 65536;
    this.#state = State.extendedLength;
    return true;
  }

  #takeExtendedLength(byte: number): boolean {
    this.#remaining = this.#remaining * 256 + byte;
    this.#missing--;
    if (this.#missing === 7 && byte > 0x7f) return this.#fail(CloseCode.protocolError, 'a length of 64 bits');
    if (this.#missing > 0) return true;
    if (this.#remaining < this.#shortest)
      return this.#fail(CloseCode.protocolError, 'a length that is not the shortest');
    return this.#endLength();
  }

  #endLength(): boolean {
    const isControl = (this.#first & 0x08) !== 0;
    // Compression makes incompressible data a little longer.
    const max = this.isCompressed ? this.#maxLength + (this.#maxLength >> 8) + 64 : this.#maxLength;
    if (!isControl && this.#messageLength + this.#remaining > max)
      return this.#fail(CloseCode.tooBig, 'the message is too big');
    this.#missing = 4;
    this.#state = State.mask;
    return true;
  }

  /** Takes bytes[start, end) of the current frame's payload. */
  #takePayload(bytes: Buffer, start: number, end: number): FrameEventValue {
    const seen = start < end ? unmask(bytes, start, end, this.#key) : 0;
    const isWhole = end - start === this.#remaining;
    if ((this.#first & 0x08) !== 0) return this.#takeControl(bytes, start, end, isWhole);
    const isAscii = (seen & NOT_ASCII) === 0;
    if (isWhole && this.#message === null && (this.#first & FIN) !== 0 && !this.#isFragmented)
      return this.#takeWholeMessage(bytes, start, end, isAscii);
    if (this.isText && !this.isCompressed && !this.#checkText(bytes, start, end, isAscii)) return FrameEvent.failed;
    this.#append(bytes, start, end);
    this.#remaining -= end - start;
    if (!isWhole) {
      this.#key = turnKey(this.#key, end - start);
      return FrameEvent.needMore;
    }
    this.#state = State.opcode;
    this.#isFragmented = (this.#first & FIN) === 0;
    return this.#isFragmented ? FrameEvent.needMore : this.#endMessage();
  }

  /** The usual case: one frame, all there, nothing to copy. */
  #takeWholeMessage(bytes: Buffer, start: number, end: number, isAscii: boolean): FrameEventValue {
    this.#state = State.opcode;
    if (this.isText && !this.isCompressed && !isAscii && !isUtf8(bytes.subarray(start, end))) {
      this.#fail(CloseCode.invalidPayload, 'the text is not UTF-8');
      return FrameEvent.failed;
    }
    this.isAscii = isAscii;
    this.#deliver(bytes, start, end, false);
    return FrameEvent.message;
  }

  #endMessage(): FrameEventValue {
    if (this.#utf8 !== null && !this.#utf8.isComplete) {
      this.#fail(CloseCode.invalidPayload, 'the text is not UTF-8');
      return FrameEvent.failed;
    }
    this.isAscii = this.#isMessageAscii;
    this.#deliver(this.#message ?? NOTHING, 0, this.#messageLength, true);
    this.#message = null;
    this.#messageLength = 0;
    this.#isMessageAscii = true;
    this.#utf8 = null;
    return FrameEvent.message;
  }

  #takeControl(bytes: Buffer, start: number, end: number, isWhole: boolean): FrameEventValue {
    if (isWhole && this.#controlLength === 0) {
      this.#deliver(bytes, start, end, false);
    } else {
      this.#control ??= Buffer.allocUnsafeSlow(MAX_CONTROL);
      bytes.copy(this.#control, this.#controlLength, start, end);
      this.#controlLength += end - start;
      this.#remaining -= end - start;
      if (!isWhole) {
        this.#key = turnKey(this.#key, end - start);
        return FrameEvent.needMore;
      }
      this.#deliver(this.#control, 0, this.#controlLength, true);
      this.#control = null;
      this.#controlLength = 0;
    }
    this.#state = State.opcode;
    switch (this.#first & 0x0f) {
      case Opcode.ping:
        return FrameEvent.ping;
      case Opcode.pong:
        return FrameEvent.pong;
      default:
        return this.#takeClose() ? FrameEvent.close : FrameEvent.failed;
    }
  }

  /** RFC 6455 §5.5.1: nothing, or a code and a reason in UTF-8. */
  #takeClose(): boolean {
    const { payload, start, end } = this;
    this.closeCode = CloseCode.none;
    if (start === end) return true;
    if (end - start === 1) return this.#fail(CloseCode.protocolError, 'a close code of one byte');
    const code = payload.readUInt16BE(start);
    if (!isSendableCloseCode(code)) return this.#fail(CloseCode.protocolError, 'a close code that must not be sent');
    if (!isUtf8(payload.subarray(start + 2, end)))
      return this.#fail(CloseCode.invalidPayload, 'the reason is not UTF-8');
    this.closeCode = code;
    this.start = start + 2;
    return true;
  }

  #checkText(bytes: Buffer, start: number, end: number, isAscii: boolean): boolean {
    if (isAscii && (this.#utf8 === null || this.#utf8.isComplete)) return true;
    this.#isMessageAscii = false;
    this.#utf8 ??= new Utf8Validator();
    return this.#utf8.push(bytes, start, end) || this.#fail(CloseCode.invalidPayload, 'the text is not UTF-8');
  }

  /** Adds to the unfinished message. Memory grows by doubling, and never beyond the message's end if that is known. */
  #append(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    const length = this.#messageLength + end - start;
    let message = this.#message;
    if (message === null || message.length < length) {
      const known = this.#messageLength + this.#remaining;
      const isLast = (this.#first & FIN) !== 0;
      let capacity = Math.max(length, 2 * this.#messageLength, Math.min(known, AT_ONCE));
      if (isLast) capacity = Math.min(capacity, known);
      const larger = Buffer.allocUnsafeSlow(capacity);
      message?.copy(larger, 0, 0, this.#messageLength);
      this.#message = message = larger;
    }
    bytes.copy(message, this.#messageLength, start, end);
    this.#messageLength = length;
  }

  #deliver(payload: Buffer, start: number, end: number, isOwned: boolean): void {
    this.payload = payload;
    this.start = start;
    this.end = end;
    this.isOwned = isOwned;
  }

  #fail(code: number, reason: string): false {
    this.#state = State.failed;
    this.closeCode = code;
    this.reason = reason;
    this.#message = null;
    this.#control = null;
    return false;
  }
}

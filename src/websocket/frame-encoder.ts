/** Encodes a server's frames: unmasked (RFC 6455 §5.1), with the shortest form of their length (§5.2). A writer owns its buffer. */
import { Buffer } from 'node:buffer';

/** First bytes of frames. A frame always holds a whole message, so FIN is set. */
export const FirstByte = { text: 0x81, binary: 0x82, close: 0x88, ping: 0x89, pong: 0x8a, compressed: 0x40 } as const;

const NOTHING = Buffer.alloc(0);
const MAX_HEADER = 10;
const CAPACITY = 64 * 1024;
/** With less room left, the writer takes a new buffer. */
const SCANT = 16 * 1024;

/** One frame, in its own memory. */
export function encodeFrame(first: number, payload: string | Uint8Array): Buffer {
  const length = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
  const headerLength = headerLengthOf(length);
  const frame = Buffer.allocUnsafeSlow(headerLength + length);
  writeHeader(frame, 0, first, length);
  if (typeof payload === 'string') frame.write(payload, headerLength, 'utf8');
  else frame.set(payload, headerLength);
  return frame;
}

/**
 * Gathers frames for one write. Bytes that the transport still needs are given away and the writer continues behind them, so that a
 * slow reader holds on to what it was sent and not to a whole buffer.
 */
export class FrameWriter {
  #buffer = Buffer.allocUnsafeSlow(CAPACITY);
  #start = 0;
  #end = 0;
  /** The last view taken, to be used again: messages are often of one length, and a new view takes 100 ns. */
  #view = NOTHING;
  #viewStart = 0;

  /** Bytes that wait to be taken. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Adds a frame with a text; returns the length of its payload, or -1 if there is no room. */
  text(first: number, text: string): number {
    const at = this.#end;
    const buffer = this.#buffer;
    // A UTF-16 unit becomes three bytes at most.
    if (MAX_HEADER + 3 * text.length > CAPACITY - at) return -1;
    const guessed = headerLengthOf(text.length);
    const length = buffer.write(text, at + guessed, 'utf8');
    const headerLength = headerLengthOf(length);
    if (headerLength !== guessed) buffer.copyWithin(at + headerLength, at + guessed, at + guessed + length);
    this.#end = writeHeader(buffer, at, first, length) + length;
    return length;
  }

  /** Adds a frame; false if there is no room. */
  frame(first: number, payload: Uint8Array): boolean {
    const length = payload.byteLength;
    if (MAX_HEADER + length > CAPACITY - this.#end) return false;
    const at = writeHeader(this.#buffer, this.#end, first, length);
    this.#buffer.set(payload, at);
    this.#end = at + length;
    return true;
  }

  /** Adds an encoded frame; false if there is no room. */
  encoded(frame: Buffer): boolean {
    if (frame.length > CAPACITY - this.#end) return false;
    this.#buffer.set(frame, this.#end);
    this.#end += frame.length;
    return true;
  }

  /** Everything that was added. Valid until more is added, or for good after giveAway(). */
  take(): Buffer {
    if (this.#viewStart !== this.#start || this.#view.length !== this.length) {
      this.#view = this.#buffer.subarray(this.#start, this.#end);
      this.#viewStart = this.#start;
    }
    this.#end = this.#start;
    return this.#view;
  }

  /** Leaves the `length` bytes that were taken last to the transport. */
  giveAway(length: number): void {
    this.#start += length;
    if (CAPACITY - this.#start < SCANT) {
      this.#buffer = Buffer.allocUnsafeSlow(CAPACITY);
      this.#start = 0;
      this.#view = NOTHING;
    }
    this.#end = this.#start;
  }
}

function headerLengthOf(payloadLength: number): number {
  if (payloadLength < 126) return 2;
  return payloadLength < 65536 ? 4 : MAX_HEADER;
}

/** Returns where the payload goes. */
function writeHeader(out: Buffer, at: number, first: number, length: number): number {
  out[at] = first;
  if (length < 126) {
    out[at + 1] = length;
    return at + 2;
  }
  if (length < 65536) {
    out[at + 1] = 126;
    out[at + 2] = length >> 8;
    out[at + 3] = length;
    return at + 4;
  }
  out[at + 1] = 127;
  out.writeUInt32BE(Math.floor(length / 2 ** 32), at + 2);
  out.writeUInt32BE(length >>> 0, at + 6);
  return at + MAX_HEADER;
}

/** Cuts what one client of HTTP/2 sends into frames (RFC 9113 §3.4 and §4.1). Owns the bytes of an unfinished one. */
import { Buffer } from 'node:buffer';
import { FRAME_HEAD, MAX_PAYLOAD, PREFACE, uint31 } from '../http2/frames.ts';

export interface FrameOwner {
  /** The payload is bytes[start, end), valid during the call. False: nothing more is to be read. */
  onFrame(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): boolean;
  /** It says more than it may (RFC 9113 §4.2). */
  onFrameTooLarge(): void;
  /** It does not speak HTTP/2. */
  onPrefaceInvalid(): void;
}

export class Http2Reader {
  readonly #owner: FrameOwner;
  #prefaceRead = 0;
  /** The beginning of a frame, with room for all of it. */
  #held: Buffer | null = null;
  #heldLength = 0;

  constructor(owner: FrameOwner) {
    this.#owner = owner;
  }

  take(bytes: Buffer, length: number): void {
    let at = this.#prefaceRead < PREFACE.length ? this.#readPreface(bytes, length) : 0;
    if (at >= 0 && this.#held !== null) at = this.#complete(bytes, length);
    while (at >= 0 && length - at >= FRAME_HEAD) {
      const end = at + FRAME_HEAD + payloadOf(bytes, at);
      if (!this.#isSmallEnough(end - at)) return;
      if (end > length) break;
      if (!this.#tell(bytes, at, end)) return;
      at = end;
    }
    if (at >= 0 && at < length) this.#hold(bytes, at, length);
  }

  /** Nothing more is read. */
  forget(): void {
    this.#held = null;
  }

  /** Returns how far it has read; -1: there is nothing else to read. */
  #readPreface(bytes: Buffer, length: number): number {
    let at = 0;
    while (at < length && this.#prefaceRead < PREFACE.length) {
      if (bytes[at++] === PREFACE.charCodeAt(this.#prefaceRead++)) continue;
      this.#owner.onPrefaceInvalid();
      return -1;
    }
    return at;
  }

  /** Goes on with the frame that is held; returns how far it has read, -1: to the end. */
  #complete(bytes: Buffer, length: number): number {
    let at = 0;
    for (;;) {
      const held = this.#held as Buffer;
      const hasHead = this.#heldLength >= FRAME_HEAD;
      const wanted = hasHead ? FRAME_HEAD + payloadOf(held, 0) : FRAME_HEAD;
      if (hasHead && !this.#isSmallEnough(wanted)) return -1;
      const missing = wanted - this.#heldLength;
      if (missing <= 0) {
        this.#held = null;
        this.#heldLength = 0;
        return this.#tell(held, 0, wanted) ? at : -1;
      }
      if (at === length) return -1;
      const count = Math.min(missing, length - at);
      const room = held.length < this.#heldLength + count ? this.#enlarge(held, wanted) : held;
      bytes.copy(room, this.#heldLength, at, at + count);
      this.#heldLength += count;
      at += count;
    }
  }

  #enlarge(held: Buffer, size: number): Buffer {
    const larger = Buffer.allocUnsafeSlow(size);
    held.copy(larger, 0, 0, this.#heldLength);
    this.#held = larger;
    return larger;
  }

  #hold(bytes: Buffer, from: number, to: number): void {
    const length = to - from;
    const size = length >= FRAME_HEAD ? FRAME_HEAD + payloadOf(bytes, from) : FRAME_HEAD;
    const held = Buffer.allocUnsafeSlow(size);
    bytes.copy(held, 0, from, to);
    this.#held = held;
    this.#heldLength = length;
  }

  #isSmallEnough(length: number): boolean {
    if (length <= FRAME_HEAD + MAX_PAYLOAD) return true;
    this.#owner.onFrameTooLarge();
    return false;
  }

  #tell(bytes: Buffer, at: number, end: number): boolean {
    const stream = uint31(bytes, at + 5);
    return this.#owner.onFrame(bytes[at + 3] as number, bytes[at + 4] as number, stream, bytes, at + FRAME_HEAD, end);
  }
}

function payloadOf(bytes: Buffer, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}

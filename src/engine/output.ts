/**
 * Collects answers: all answers to the bytes of one read leave in one write. A single one is sent as it is; several are
 * copied into a buffer that all connections of a worker share.
 */
import { Buffer } from 'node:buffer';
import { writeLatin1 } from '../http/latin1.ts';
import type { ByteSink } from '../http/reply.ts';

/** At this length it is time to write. */
const FULL = 64 * 1024;
/** A buffer that has grown beyond this is dropped after its write. */
const LARGEST_KEPT = 4 * FULL;

const NOTHING = Buffer.alloc(0);

/** From this length on a second write costs less than copying: it was 0.35 ms for 1 MB. */
const LARGE = 256 * 1024;

export class Output implements ByteSink {
  #single: Buffer | null = null;
  /** Content too large to be copied behind what is in the buffer: leaves in a write of its own. */
  #large: Buffer | null = null;
  #buffer = Buffer.allocUnsafeSlow(FULL);
  #length = 0;
  /** What was taken last, to be taken again: answers are often of one length, and a new view takes 100 ns. */
  #view = NOTHING;

  get isFull(): boolean {
    return this.#length >= FULL || this.#large !== null;
  }

  push(bytes: Buffer): void {
    if (this.#length === 0) {
      if (this.#single === null) {
        this.#single = bytes;
        return;
      }
      this.#unite();
    } else if (bytes.length >= LARGE && this.#large === null) {
      this.#large = bytes;
      return;
    }
    this.#unite();
    this.#append(bytes);
  }

  /** The bytes may change after the call. */
  pushCopy(bytes: Buffer): void {
    this.#unite();
    this.#append(bytes);
  }

  /** Copies bytes[start, end). */
  pushRange(bytes: Buffer, start: number, end: number): void {
    this.#unite();
    this.#reserve(end - start);
    this.#length += bytes.copy(this.#buffer, this.#length, start, end);
  }

  /** The buffer, with room for `count` bytes from `length` on: to be written into, and then committed. */
  room(count: number): Buffer {
    this.#unite();
    this.#reserve(count);
    return this.#buffer;
  }

  /** Bytes in the buffer; as `room` has left it. */
  get length(): number {
    return this.#length;
  }

  /** What was written into the buffer ends at `length`. */
  commit(length: number): void {
    this.#length = length;
  }

  pushLatin1(text: string): void {
    this.#unite();
    this.#reserve(text.length);
    writeLatin1(this.#buffer, text, this.#length);
    this.#length += text.length;
  }

  /** What belongs behind the bytes that `take` gives: to be asked for first. */
  takeLarge(): Buffer | null {
    const large = this.#large;
    this.#large = null;
    return large;
  }

  /** Everything pushed so far, as one piece, or null. Valid until the next push, or forever after keep(). */
  take(): Buffer | null {
    if (this.#large !== null) this.#unite();
    const length = this.#length;
    if (length > 0 && length !== this.#view.length) this.#view = this.#buffer.subarray(0, length);
    const bytes = length > 0 ? this.#view : this.#single;
    this.#single = null;
    this.#length = 0;
    // One large answer must not hold memory forever.
    if (this.#buffer.length > LARGEST_KEPT) this.#use(Buffer.allocUnsafeSlow(FULL));
    return bytes;
  }

  /** The bytes taken are still in use, so ownership passes to the caller. */
  keep(bytes: Buffer): void {
    if (bytes.buffer === this.#buffer.buffer) this.#use(Buffer.allocUnsafeSlow(FULL));
  }

  /** Copies what was to be sent as it is, because more follows. */
  #unite(): void {
    const single = this.#single ?? this.#large;
    if (single === null) return;
    this.#single = null;
    this.#large = null;
    this.#append(single);
  }

  #append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(count: number): void {
    const length = this.#length + count;
    if (length <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#length), 0);
    this.#use(larger);
  }

  #use(buffer: Buffer<ArrayBuffer>): void {
    this.#buffer = buffer;
    this.#view = NOTHING;
  }
}

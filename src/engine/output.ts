/**
 * Answers on their way out: all answers to what one read brought leave in one write. A single one goes as it is; several are
 * copied behind each other into a buffer that all connections of a worker share.
 */
import { Buffer } from 'node:buffer';

/** From this length on it is time to write. */
const FULL = 64 * 1024;

export class Output {
  #single: Buffer | null = null;
  #buffer = Buffer.allocUnsafeSlow(FULL);
  #length = 0;

  get isFull(): boolean {
    return this.#length >= FULL;
  }

  push(bytes: Buffer): void {
    if (this.#length === 0) {
      if (this.#single === null) {
        this.#single = bytes;
        return;
      }
      this.#append(this.#single);
      this.#single = null;
    }
    this.#append(bytes);
  }

  /** Everything pushed so far, as one piece, or null. Valid until the next push, or for ever after keep(). */
  take(): Buffer | null {
    const bytes = this.#length > 0 ? this.#buffer.subarray(0, this.#length) : this.#single;
    this.#single = null;
    this.#length = 0;
    return bytes;
  }

  /** What was taken is still in use: ownership passes to the caller. */
  keep(bytes: Buffer): void {
    if (bytes.buffer === this.#buffer.buffer) this.#buffer = Buffer.allocUnsafeSlow(FULL);
  }

  #append(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#length), 0);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }
}

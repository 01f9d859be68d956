/**
 * Answers on their way out: all answers to what one read brought leave in one write. A single one goes as it is, more are copied
 * behind each other into a buffer that all connections of a worker share.
 */
import { Buffer } from 'node:buffer';

/** From here on it is time to write. */
const FULL = 64 * 1024;

export class Output {
  #single: Buffer | null = null;
  #buffer = Buffer.allocUnsafeSlow(FULL);
  #length = 0;

  get isFull(): boolean {
    return this.#length >= FULL;
  }

  push(octets: Buffer): void {
    if (this.#length === 0) {
      if (this.#single === null) {
        this.#single = octets;
        return;
      }
      this.#append(this.#single);
      this.#single = null;
    }
    this.#append(octets);
  }

  /** All that was pushed, as one piece, or null. It is valid until the next push, or for ever after keep(). */
  take(): Buffer | null {
    const octets = this.#length > 0 ? this.#buffer.subarray(0, this.#length) : this.#single;
    this.#single = null;
    this.#length = 0;
    return octets;
  }

  /** What was taken is still in use: it is left to its user. */
  keep(octets: Buffer): void {
    if (octets.buffer === this.#buffer.buffer) this.#buffer = Buffer.allocUnsafeSlow(FULL);
  }

  #append(octets: Buffer): void {
    const length = this.#length + octets.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#length), 0);
      this.#buffer = larger;
    }
    this.#buffer.set(octets, this.#length);
    this.#length = length;
  }
}

/** Bytes that a connection will need again, copied because the read buffer is shared. Owns its copy. */
import { Buffer } from 'node:buffer';

/** The first size; it doubles as needed. */
const FIRST_SIZE = 512;

export class UnparsedInput {
  /** Only the first `length` bytes are used. */
  bytes: Buffer;
  length: number;
  /** How many of them the parser has already read. */
  seen = 0;

  /** Copies bytes[start, end). */
  constructor(bytes: Buffer, start: number, end: number) {
    this.length = end - start;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(FIRST_SIZE, this.length));
    bytes.copy(this.bytes, 0, start, end);
  }

  /** Adds bytes[0, count). */
  append(bytes: Buffer, count: number): void {
    const wanted = this.length + count;
    if (this.bytes.length < wanted) {
      const larger = Buffer.allocUnsafeSlow(Math.max(wanted, 2 * this.bytes.length));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    bytes.copy(this.bytes, this.length, 0, count);
    this.length = wanted;
  }

  /** Drops the first `count`. */
  drop(count: number): void {
    this.bytes.copyWithin(0, count, this.length);
    this.length -= count;
  }
}

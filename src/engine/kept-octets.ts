/** Octets that a connection wants again, because the read buffer they came in is not its own. Owns its copy. */
import { Buffer } from 'node:buffer';

/** First size; it doubles as needed. */
const FIRST_SIZE = 512;

export class KeptOctets {
  /** The first `length` of them count. */
  octets: Buffer;
  length: number;
  /** How many of them the parser has been over. */
  seen = 0;

  /** Copies bytes[start, end). */
  constructor(bytes: Buffer, start: number, end: number) {
    this.length = end - start;
    this.octets = Buffer.allocUnsafeSlow(Math.max(FIRST_SIZE, this.length));
    bytes.copy(this.octets, 0, start, end);
  }

  /** Adds bytes[0, count). */
  append(bytes: Buffer, count: number): void {
    const wanted = this.length + count;
    if (this.octets.length < wanted) {
      const larger = Buffer.allocUnsafeSlow(Math.max(wanted, 2 * this.octets.length));
      this.octets.copy(larger, 0, 0, this.length);
      this.octets = larger;
    }
    bytes.copy(this.octets, this.length, 0, count);
    this.length = wanted;
  }

  /** Forgets the first `count`. */
  drop(count: number): void {
    this.octets.copyWithin(0, count, this.length);
    this.length -= count;
  }
}

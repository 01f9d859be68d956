/**
 * Validates UTF-8 (RFC 3629) in pieces, and fails at the first invalid byte wherever the pieces were cut. TextDecoder is no option: its
 * `fatal` needs ICU, which the packaged runtimes lack.
 */
import { type Buffer, isUtf8 } from 'node:buffer';

/** Below this length, walking over the bytes is cheaper than calling Node (100 ns). */
const WALKED = 32;

export class Utf8Validator {
  /** Continuation bytes that the current character still needs. */
  #needed = 0;
  /** Bounds of the next continuation byte: they rule out overlong forms, surrogates, and characters above U+10FFFF. */
  #lower = 0x80;
  #upper = 0xbf;

  /** No character is cut off. */
  get isComplete(): boolean {
    return this.#needed === 0;
  }

  reset(): void {
    this.#needed = 0;
    this.#lower = 0x80;
    this.#upper = 0xbf;
  }

  /** False if bytes[start, end) cannot follow what came before. */
  push(bytes: Buffer, start: number, end: number): boolean {
    let at = start;
    if (end - start > WALKED) {
      while (this.#needed > 0) if (!this.#step(bytes[at++] as number)) return false;
      const cut = lastBoundary(bytes, end);
      if (!isUtf8(bytes.subarray(at, cut))) return false;
      at = cut;
    }
    while (at < end) if (!this.#step(bytes[at++] as number)) return false;
    return true;
  }

  #step(byte: number): boolean {
    if (this.#needed > 0) {
      if (byte < this.#lower || byte > this.#upper) return false;
      this.#lower = 0x80;
      this.#upper = 0xbf;
      this.#needed--;
      return true;
    }
    if (byte < 0x80) return true;
    if (byte < 0xc2 || byte > 0xf4) return false;
    if (byte < 0xe0) {
      this.#needed = 1;
    } else if (byte < 0xf0) {
      this.#needed = 2;
      if (byte === 0xe0) this.#lower = 0xa0;
      else if (byte === 0xed) this.#upper = 0x9f;
    } else {
      this.#needed = 3;
      if (byte === 0xf0) this.#lower = 0x90;
      else if (byte === 0xf4) this.#upper = 0x8f;
    }
    return true;
  }
}

/** Where the last character before `end` begins; `end` if the last three bytes do not show it. */
function lastBoundary(bytes: Buffer, end: number): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes[end - back] as number;
    if (byte < 0x80) return end - back + 1;
    if (byte >= 0xc0) return end - back;
  }
  return end;
}

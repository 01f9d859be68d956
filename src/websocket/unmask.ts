/** Unmasks payloads (RFC 6455 §5.3), in place and four bytes at a time. */
import type { Buffer } from 'node:buffer';

/** From this length on, a view of words is worth its 150 ns. A transport's shared read buffer keeps its view. */
const WORTH_A_VIEW = 512;
/** Buffers of this size are shared read buffers, and will be seen again. */
const READ_BUFFER = 64 * 1024;

/** The view of the buffer that was unmasked last. */
let viewed: Buffer | null = null;
let words: Int32Array<ArrayBufferLike> = new Int32Array(0);
let viewedOffset = 0;

/**
 * Unmasks bytes[start, end). `key` has the mask byte of bytes[start] in its lowest bits. Returns all bytes ORed together
 * at some place of an integer: a result without 0x80808080 means ASCII.
 */
export function unmask(bytes: Buffer, start: number, end: number, key: number): number {
  let at = start;
  let turned = key;
  let seen = 0;
  if (bytes !== viewed && (end - start >= WORTH_A_VIEW || bytes.length >= READ_BUFFER)) view(bytes);
  if (bytes === viewed) {
    while (((viewedOffset + at) & 3) !== 0 && at < end) {
      const byte = (bytes[at] as number) ^ (turned & 0xff);
      bytes[at++] = byte;
      seen |= byte;
      turned = (turned >>> 8) | (turned << 24);
    }
    const last = (viewedOffset + end) >> 2;
    const array = words;
    let word = (viewedOffset + at) >> 2;
    if (word < last) {
      at += (last - word) << 2;
      for (; word < last; word++) {
        const value = (array[word] as number) ^ turned;
        array[word] = value;
        seen |= value;
      }
    }
  }
  for (; at < end; at++) {
    const byte = (bytes[at] as number) ^ (turned & 0xff);
    bytes[at] = byte;
    seen |= byte;
    turned = (turned >>> 8) | (turned << 24);
  }
  return seen;
}

/** The key for what follows `count` bytes. */
export function turnKey(key: number, count: number): number {
  const bits = (count & 3) * 8;
  return bits === 0 ? key : (key >>> bits) | (key << (32 - bits));
}

function view(bytes: Buffer): void {
  viewed = bytes;
  viewedOffset = bytes.byteOffset;
  words = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
}

/**
 * Text of one byte a character, and of UTF-8, from and to buffers, by the methods that Buffer's own `toString` and `write` call in the end: looking up the
 * encoding by its name takes longer than copying 100 bytes.
 */
import type { Buffer } from 'node:buffer';

interface WithSlices {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number, length: number): number;
}

export function readLatin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as Buffer & WithSlices).latin1Slice(start, end);
}

/** Invalid bytes become U+FFFD. */
export function readUtf8(bytes: Buffer, start: number, end: number): string {
  return (bytes as Buffer & WithSlices).utf8Slice(start, end);
}

/** There must be room for all of it. */
export function writeLatin1(bytes: Buffer, text: string, offset: number): void {
  (bytes as Buffer & WithSlices).latin1Write(text, offset, text.length);
}

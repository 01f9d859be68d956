/** The bytes of a text, between others that must not be read. */
import { Buffer } from 'node:buffer';

export interface Framed {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

export function framed(text: string, before = '[:1', after = '0]:%41'): Framed {
  const bytes = Buffer.from(before + text + after, 'latin1');
  return { bytes, start: before.length, end: before.length + text.length };
}

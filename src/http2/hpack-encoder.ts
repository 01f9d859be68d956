/**
 * Writes header sections of HTTP/2 (RFC 7541) that depend on nothing said before: no dynamic table, so one section serves all clients, and
 * no Huffman code, which costs more time than it saves bytes.
 */
import { Buffer } from 'node:buffer';
import { writeLatin1 } from '../http/latin1.ts';
import { STATIC_TABLE } from './hpack-table.ts';

/** The dynamic table is of size 0 from here on: has to begin a connection's first section, whatever the client allows (RFC 7541 §4.2). */
export const NO_TABLE = 0x20;

/** By name: the first index that has it. */
const names = new Map<string, number>();
/** By name and value. */
const whole = new Map<string, number>();
STATIC_TABLE.forEach(([name, value], at) => {
  if (!names.has(name)) names.set(name, at + 1);
  if (value !== '') whole.set(`${name} ${value}`, at + 1);
});

/** Most that a length or an index takes. */
const INTEGER_MAX = 6;

/** `fields` are names in lower case and values in turn, with characters up to U+00FF. */
export function encodeFields(fields: readonly (string | number)[]): Buffer {
  let size = 0;
  for (const text of fields) size += String(text).length + INTEGER_MAX;
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = String(fields[i + 1]);
    const index = whole.get(`${name} ${value}`);
    if (index !== undefined) {
      at = putInteger(bytes, at, 0x80, 0x7f, index);
      continue;
    }
    const named = names.get(name) ?? 0;
    at = putInteger(bytes, at, 0, 0x0f, named);
    if (named === 0) at = putText(bytes, at, name);
    at = putText(bytes, at, value);
  }
  return bytes.subarray(0, at);
}

function putText(bytes: Buffer, start: number, text: string): number {
  const at = putInteger(bytes, start, 0, 0x7f, text.length);
  writeLatin1(bytes, text, at);
  return at + text.length;
}

function putInteger(bytes: Buffer, start: number, prefix: number, mask: number, value: number): number {
  let at = start;
  if (value < mask) {
    bytes[at++] = prefix | value;
    return at;
  }
  bytes[at++] = prefix | mask;
  let left = value - mask;
  for (; left >= 0x80; left >>>= 7) bytes[at++] = (left & 0x7f) | 0x80;
  bytes[at++] = left;
  return at;
}

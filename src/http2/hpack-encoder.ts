/**
 * Writes header sections of HTTP/2 (RFC 7541) that depend on nothing said before: no dynamic table, so one section serves all clients, and
 * no Huffman code, which costs more time than it saves bytes.
 */
import { Buffer } from 'node:buffer';
import { writeLatin1 } from '../http/latin1.ts';
import { STATIC_TABLE } from './hpack-table.ts';

/** The dynamic table is of size 0 from here on: has to begin a connection's first section, whatever the client allows (RFC 7541 §4.2). */
export const NO_TABLE = 0x20;

interface Known {
  /** The first one with that name. */
  readonly index: number;
  /** By value. */
  readonly values: Map<string, number>;
}

const names = new Map<string, Known>();
STATIC_TABLE.forEach(([name, value], at) => {
  const known = names.get(name) ?? { index: at + 1, values: new Map() };
  names.set(name, known);
  if (value !== '') known.values.set(value, at + 1);
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
    const known = names.get(name);
    const index = known?.values.get(value);
    if (index !== undefined) {
      at = putInteger(bytes, at, 0x80, 0x7f, index);
      continue;
    }
    at = putInteger(bytes, at, 0, 0x0f, known?.index ?? 0);
    if (known === undefined) at = putText(bytes, at, name);
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

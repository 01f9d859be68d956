/** Name-value pairs of FastCGI (§3.4) as the stream of records that carries them. Pure. */
import { Buffer } from 'node:buffer';
import { HEADER_LENGTH, MAX_CONTENT, putHeader, RecordType } from './records.ts';

/** Text of one byte a character, as HTTP has it: what a client sends in other encodings passes unchanged. */
export type Param = readonly [name: string, value: string];

/** All records of the stream, the empty one at its end included. */
export function encodeParams(params: readonly Param[]): Buffer {
  let length = 0;
  for (const [name, value] of params) length += sizeOf(name) + sizeOf(value) + name.length + value.length;
  const records = Math.ceil(length / MAX_CONTENT) + 1;
  const content = Buffer.allocUnsafe(length);
  let at = 0;
  for (const [name, value] of params) {
    at = putLength(content, at, name.length);
    at = putLength(content, at, value.length);
    at += content.write(name, at, 'latin1');
    at += content.write(value, at, 'latin1');
  }
  const stream = Buffer.allocUnsafe(length + records * HEADER_LENGTH);
  let to = 0;
  for (let from = 0; from < length; from += MAX_CONTENT) {
    const end = Math.min(from + MAX_CONTENT, length);
    to = putHeader(stream, to, RecordType.params, end - from);
    to += content.copy(stream, to, from, end);
  }
  putHeader(stream, to, RecordType.params, 0);
  return stream;
}

function sizeOf(text: string): number {
  return text.length > 0x7f ? 4 : 1;
}

function putLength(out: Buffer, at: number, length: number): number {
  if (length <= 0x7f) {
    out[at] = length;
    return at + 1;
  }
  return out.writeUInt32BE((length | 0x8000_0000) >>> 0, at);
}

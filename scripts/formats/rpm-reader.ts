/** What is in an rpm, read by other code than that which writes it: https://rpm.org/docs/latest/manual/format_v4.html. */
import { createHash } from 'node:crypto';
import { Failure } from '../support/errors.ts';
import { gunzipWhole } from './tar-reader.ts';

export interface RpmContent {
  /** By the tag's number; one value is a list of one. */
  readonly tags: ReadonlyMap<number, readonly (string | number)[]>;
  readonly files: readonly RpmFile[];
  /** Digests that are not those of what they name. */
  readonly faults: readonly string[];
}

export interface RpmFile {
  readonly name: string;
  /** With the type: 0o100644. */
  readonly mode: number;
  readonly data: Buffer;
}

export function readRpm(bytes: Buffer): RpmContent {
  if (bytes.readUInt32BE(0) !== 0xedabeedb) throw new Failure('an rpm must begin with its magic number, it does not');
  const signature = readHeader(bytes, 96);
  const start = 96 + signature.length + (-signature.length & 7);
  const header = readHeader(bytes, start);
  const payload = bytes.subarray(start + header.length);
  const unpacked = gunzipWhole(payload);
  const wanted: readonly (readonly [what: string, got: string | number | undefined, wanted: string])[] = [
    ['its header', signature.tags.get(273)?.[0], sha256(bytes.subarray(start, start + header.length))],
    ['its payload', header.tags.get(5092)?.[0], sha256(payload)],
    ['its unpacked payload', header.tags.get(5097)?.[0], sha256(unpacked)],
  ];
  return {
    tags: header.tags,
    files: readCpio(unpacked),
    faults: wanted
      .filter(([, got, right]) => got !== right)
      .map(([what, got, right]) => `must name the SHA-256 of ${what}, ${right}, got ${got ?? 'none'}`),
  };
}

function readHeader(bytes: Buffer, at: number): { tags: Map<number, (string | number)[]>; length: number } {
  if (bytes.readUInt32BE(at) !== 0x8eade801) throw new Failure(`an rpm must have a header at ${at}, it has none`);
  const [count, size] = [bytes.readUInt32BE(at + 8), bytes.readUInt32BE(at + 12)];
  const store = at + 16 + 16 * count;
  const tags = new Map<number, (string | number)[]>();
  for (let row = at + 16; row < store; row += 16) {
    const [tag = 0, type = 0, offset = 0, values = 0] = [0, 4, 8, 12].map((field) => bytes.readInt32BE(row + field));
    tags.set(tag, valuesOf(bytes, type, store + offset, values));
  }
  return { tags, length: 16 + 16 * count + size };
}

/** Numbers of two and four bytes, texts; of bytes only the first, which nobody asks for. */
function valuesOf(bytes: Buffer, type: number, at: number, count: number): (string | number)[] {
  if (type === 3) return Array.from({ length: count }, (_, index) => bytes.readUInt16BE(at + 2 * index));
  if (type === 4) return Array.from({ length: count }, (_, index) => bytes.readUInt32BE(at + 4 * index));
  if (type !== 6 && type !== 8 && type !== 9) return [bytes[at] ?? 0];
  let from = at;
  return Array.from({ length: count }, () => {
    const end = bytes.indexOf(0, from);
    const text = bytes.toString('utf8', from, end);
    from = end + 1;
    return text;
  });
}

function readCpio(bytes: Buffer): RpmFile[] {
  const files: RpmFile[] = [];
  for (let at = 0; ; ) {
    const field = (index: number): number =>
      Number.parseInt(bytes.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16);
    if (bytes.toString('latin1', at, at + 6) !== '070701') throw new Failure(`a cpio entry must begin at ${at}`);
    const [size, length] = [field(6), field(11)];
    const name = bytes.toString('utf8', at + 110, at + 109 + length);
    if (name === 'TRAILER!!!') return files;
    const data = at + 110 + length + (-(110 + length) & 3);
    files.push({ name, mode: field(1), data: bytes.subarray(data, data + size) });
    at = data + size + (-size & 3);
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * gzip without a name, a time or a system in its header (RFC 1952): the same bytes on every machine with the same zlib. What is
 * large is compressed in pieces of its own, on all cores, and once for all files of a run that hold it: an executable goes into
 * six. That costs 0.3 % in size.
 */
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

/** Compresses a piece on its own, to whole bytes, without ending the stream (RFC 1951, 3.2.3). */
export type Deflate = (piece: Uint8Array) => Promise<Uint8Array>;

export const pieceSize: number = 1 << 20;

const level = { level: 9, memLevel: 9 } as const;
const deflateAll = promisify(deflateRaw);

/** By the memory that holds them, so that nobody may write there afterwards. */
const compressed = new WeakMap<Uint8Array, Promise<Buffer>>();

/** `data` in one or several parts. A part as large as a piece begins a piece, wherever it lies. */
export async function gzip(data: Uint8Array | readonly Uint8Array[], deflate: Deflate = deflatePiece): Promise<Buffer> {
  const parts = data instanceof Uint8Array ? [data] : data;
  const blocks: Promise<Uint8Array>[] = [];
  let small: Uint8Array[] = [];
  for (const part of parts) {
    if (part.length < pieceSize) {
      small.push(part);
      continue;
    }
    blocks.push(deflatePiece(Buffer.concat(small)), deflateLarge(part, deflate));
    small = [];
  }
  const last = deflateAll(Buffer.concat(small), level);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(
    parts.reduce((sum, part) => crc32(part, sum), 0),
    0,
  );
  trailer.writeUInt32LE(parts.reduce((total, { length }) => total + length, 0) % 2 ** 32, 4);
  return Buffer.concat([header, ...(await Promise.all(blocks)), await last, trailer]);
}

/** Deflate, no flags, no time, "slowest", and 255 for an unknown system. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);

/** Views of `data`, in its order; only the last may be smaller than the others. */
export function piecesOf<T extends Uint8Array>(data: T): T[] {
  const count = Math.ceil(data.length / pieceSize);
  return Array.from({ length: count }, (_, at) => data.subarray(at * pieceSize, (at + 1) * pieceSize) as T);
}

function deflateLarge(part: Uint8Array, deflate: Deflate): Promise<Buffer> {
  let result = compressed.get(part);
  if (result === undefined) {
    result = Promise.all(piecesOf(part).map(deflate)).then((all) => Buffer.concat(all));
    compressed.set(part, result);
  }
  return result;
}

/** Ends at a byte, and what comes after it refers to nothing before. */
export async function deflatePiece(piece: Uint8Array): Promise<Uint8Array> {
  return await deflateAll(piece, { ...level, finishFlush: constants.Z_FULL_FLUSH });
}

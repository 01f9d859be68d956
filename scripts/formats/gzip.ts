/** gzip without a name, a time or a system in its header (RFC 1952): the same bytes on every machine with the same zlib. */
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, gzip as gzipOf } from 'node:zlib';

/** Compresses a piece on its own, to whole bytes, without ending the stream (RFC 1951, 3.2.3). */
export type Deflate = (piece: Uint8Array) => Promise<Uint8Array>;

/** What is compressed on its own: pieces are compressed side by side, and one that is known already not again. It costs 0.3 % of the size. */
export const pieceSize: number = 1 << 20;

export async function gzip(data: Uint8Array): Promise<Buffer> {
  const packed = await promisify(gzipOf)(data, { level: 9, memLevel: 9 });
  // Byte 9 names the operating system that packed it: 255 is "unknown", on every machine.
  packed[9] = 255;
  return packed;
}

export async function deflatePiece(piece: Uint8Array): Promise<Uint8Array> {
  return await promisify(deflateRaw)(piece, { level: 9, memLevel: 9, finishFlush: constants.Z_FULL_FLUSH });
}

/** The parts one after the other as one gzip member. A part as large as a piece begins a piece, wherever it lies. */
export async function gzipParts(parts: readonly Uint8Array[], deflate: Deflate = deflatePiece): Promise<Buffer> {
  const packed = await Promise.all(piecesOf(parts).map(deflate));
  const end = Buffer.alloc(10);
  // An empty last block, then the checksum and the length.
  end.writeUInt16LE(0x0003);
  end.writeUInt32LE(
    parts.reduce((sum, part) => crc32(part, sum), 0),
    2,
  );
  end.writeUInt32LE(parts.reduce((length, part) => length + part.length, 0) % 2 ** 32, 6);
  return Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]), ...packed, end]);
}

function piecesOf(parts: readonly Uint8Array[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const cut = (part: Uint8Array): void => {
    for (let at = 0; at < part.length; at += pieceSize) pieces.push(part.subarray(at, at + pieceSize));
  };
  for (const part of parts) {
    if (part.length < pieceSize) small.push(part);
    else {
      cut(Buffer.concat(small));
      small = [];
      cut(part);
    }
  }
  cut(Buffer.concat(small));
  return pieces;
}

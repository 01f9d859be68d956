/** Pieces of content that wait for a reader. */
import { Buffer } from 'node:buffer';

/** Small pieces share memory of this size, which no pool of Buffer's has: a piece that lies in a pool is not taken for ours. */
const BLOCK = 4080;

/**
 * Adds a copy of bytes[start, end) to `pieces`. Small ones are joined: a piece takes a hundred bytes besides its own, so a client that
 * sends chunks or frames of one byte would make a hundred times as much memory wait, and millions of objects.
 */
export function keepPiece(pieces: Buffer[], bytes: Buffer, start: number, end: number): void {
  const length = end - start;
  const index = pieces.length - 1;
  const last = index < 0 ? null : (pieces[index] as Buffer);
  if (last === null || last.length + length > BLOCK) {
    const copy = Buffer.allocUnsafe(length);
    bytes.copy(copy, 0, start, end);
    pieces.push(copy);
    return;
  }
  const block = blockOf(last);
  bytes.copy(block, last.length, start, end);
  pieces[index] = block.subarray(0, last.length + length);
}

/** Memory that begins with `piece` and has room behind it: its own, if it has been joined before. */
function blockOf(piece: Buffer): Buffer {
  const { buffer, byteOffset } = piece;
  if (byteOffset === 0 && buffer.byteLength === BLOCK) return Buffer.from(buffer, 0, BLOCK);
  const block = Buffer.allocUnsafeSlow(BLOCK);
  piece.copy(block);
  return block;
}

/**
 * `deflate`: the compressed pieces of each runtime, which are the same in every program's archive: compressing them takes most of an
 * archive's time. Owns `build/deflated/`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { endOfRuntime } from '../formats/exchanged-blob.ts';
import { type Deflate, deflatePiece, pieceSize, piecesOf } from '../formats/gzip.ts';
import { program } from '../program/program.ts';
import { cache } from '../support/checkout.ts';
import { runStep } from '../support/step.ts';
import { sharedPath } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { injected } from './inject.ts';

interface Piece {
  readonly plain: Buffer;
  readonly packed: Buffer;
}

/** Knows the pieces of this target's runtime; compresses all others. The bytes are the same either way. */
export async function deflated(target: ReadyTarget): Promise<Deflate> {
  const { environment } = program;
  const runtime = await injected(target);
  const file = sharedPath('deflated', target, environment);
  const { facts: lengths } = await runStep({
    step: `deflate-${environment}`,
    target: target.triple,
    inputs: { runtime: runtime.sha256 },
    module: import.meta.filename,
    stamps: path.join(cache, 'stamps'),
    outputs: [file],
    make: async () => {
      const packed = await Promise.all(knownPieces(await readFile(runtime.file)).map(deflatePiece));
      await writeFile(file, Buffer.concat(packed));
      return packed.map(({ length }) => length);
    },
  });
  let known: Promise<ReadonlyMap<number, Piece>> | undefined;
  return async (piece) => {
    known ??= readPieces(runtime.file, file, lengths);
    const same = (await known).get(crc32(piece));
    return same?.plain.equals(piece) ? same.packed : await deflatePiece(piece);
  };
}

/** By their checksums. */
async function readPieces(
  runtime: string,
  file: string,
  lengths: readonly number[],
): Promise<ReadonlyMap<number, Piece>> {
  const [plain, packed] = await Promise.all([readFile(runtime), readFile(file)]);
  let at = 0;
  const pieces = knownPieces(plain).map((piece, index): [number, Piece] => {
    const start = at;
    at += lengths[index] ?? 0;
    return [crc32(piece), { plain: piece, packed: packed.subarray(start, at) }];
  });
  return new Map(pieces);
}

/** Those that are whole before a program's own bytes begin. */
function knownPieces(runtime: Buffer): Buffer[] {
  const end = endOfRuntime(runtime);
  return piecesOf(runtime.subarray(0, end - (end % pieceSize)));
}

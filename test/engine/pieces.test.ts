import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { keepPiece } from '../../src/engine/pieces.ts';

const content = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251));

function kept(sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < content.length; turn++) {
    const end = Math.min(content.length, at + (sizes[turn % sizes.length] as number));
    keepPiece(pieces, content, at, end);
    at = end;
  }
  return pieces;
}

test.each([[[1]], [[1, 4079]], [[4080]], [[1, 5000, 3]], [[65_536]], [[2000, 2080, 1]]])(
  'pieces of %j bytes keep their order and their bytes',
  (sizes) => {
    expect(Buffer.concat(kept(sizes)).equals(content)).toBe(true);
  },
);

test('a hundred thousand pieces of one byte take 25 objects and 100 KiB', () => {
  const pieces = kept([1]);
  expect(pieces.length).toBe(Math.ceil(content.length / 4080));
  expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBe(pieces.length);
});

test('a piece that has been taken does not change any more', () => {
  const pieces: Buffer[] = [];
  for (const byte of [0, 1]) keepPiece(pieces, content, byte, byte + 1);
  const taken = pieces.shift() as Buffer;
  for (const byte of [2, 3]) keepPiece(pieces, content, byte, byte + 1);
  expect([...taken]).toEqual([0, 1]);
  expect(pieces.map((piece) => [...piece])).toEqual([[2, 3]]);
});

/** Ways to cut what a client sends into pieces, none of which may make a difference. */
import type { Part } from './notation.ts';

/** Up to this many bytes, every index is tried; for more, the edges and some indices between them. */
const ALL_INDICES = 2_000;
const EDGE = 250;
const IN_THE_MIDDLE = 50;

export function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.bytes.length, 0);
}

/** The indices at which bytes of this length are cut in two. */
export function* indicesOf(length: number): Generator<number> {
  const stride = Math.ceil(length / IN_THE_MIDDLE);
  for (let index = 1; index < length; index++) {
    if (length <= ALL_INDICES || index < EDGE || index > length - EDGE || index % stride === 0) yield index;
  }
}

/** The same bytes, with a cut before each of the indices, which count from the first byte of all and are sorted. */
export function cutAt(parts: readonly Part[], indices: Iterable<number>): Part[] {
  const wanted = [...indices];
  const pieces: Part[] = [];
  let start = 0;
  for (const { afterAnswers, bytes } of parts) {
    const end = start + bytes.length;
    let from = start;
    for (const index of wanted) {
      if (index <= from || index >= end) continue;
      pieces.push({ afterAnswers, bytes: bytes.subarray(from - start, index - start) });
      from = index;
    }
    pieces.push({ afterAnswers, bytes: bytes.subarray(from - start) });
    start = end;
  }
  return pieces;
}

/** One byte per piece. */
export function byteByByte(parts: readonly Part[]): Part[] {
  return parts.flatMap(({ afterAnswers, bytes }) =>
    Array.from(bytes, (_, index) => ({ afterAnswers, bytes: bytes.subarray(index, index + 1) })),
  );
}

/** `count` random indices; the same seed gives the same ones. */
export function randomIndices(length: number, count: number, seed: string): number[] {
  let state = 2166136261;
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), 16777619);
  const indices: number[] = [];
  for (let i = 0; i < count && length > 1; i++) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    indices.push(1 + ((state >>> 0) % (length - 1)));
  }
  return indices.sort((a, b) => a - b);
}

/** Whole, byte by byte, and cut in two at every index. */
export function everyWay(parts: readonly Part[], run: (parts: readonly Part[], way: string) => void): void {
  run(parts, 'whole');
  run(byteByByte(parts), 'byte by byte');
  for (const index of indicesOf(lengthOf(parts))) run(cutAt(parts, [index]), `cut at ${index}`);
}

/** Content as a request's body delivers it: in pieces, each valid only until the next is requested. */
import { Buffer } from 'node:buffer';

export interface Pieces extends AsyncIterable<Uint8Array> {
  /** How reading ended. */
  readonly state: { given: number; isEnded: boolean; isReturned: boolean };
}

/** `size` bytes at a time, all in one buffer, like the engine's read buffer. */
export function inPieces(content: Uint8Array, size: number = content.length || 1): Pieces {
  const state = { given: 0, isEnded: false, isReturned: false };
  const buffer = Buffer.alloc(size);
  return { state, [Symbol.asyncIterator]: () => ({ next, return: stop }) };

  async function next(): Promise<IteratorResult<Uint8Array>> {
    buffer.fill('!');
    if (state.given === content.length) {
      state.isEnded = true;
      return { done: true, value: undefined };
    }
    const piece = content.subarray(state.given, state.given + size);
    state.given += piece.length;
    buffer.set(piece);
    return { done: false, value: buffer.subarray(0, piece.length) };
  }

  async function stop(): Promise<IteratorResult<Uint8Array>> {
    state.isReturned = true;
    return { done: true, value: undefined };
  }
}

/** Delivers `content`, then fails. */
export async function* failingAfter(content: Uint8Array, error: Error): AsyncGenerator<Uint8Array> {
  yield content;
  throw error;
}

export async function whole(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(Uint8Array.from(piece));
  return Buffer.concat(all);
}

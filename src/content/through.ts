/** Pieces through one of Node's transforms (zlib), pulled: nothing is asked of the source before somebody asks for output. */
import { pipeline, Readable, type Transform } from 'node:stream';

/**
 * Owns `transform`: it is destroyed when the output ends, fails, or nobody reads on, and then the source is ended too. An error of
 * the source comes through as it is, one of the transform as `wrapError` makes it.
 */
export async function* through(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
  wrapError: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sourceError: { readonly error: unknown } | null = null;
  const input = Readable.from(watched(), { objectMode: false });
  // Errors reach whoever reads the transform; the callback only keeps them from being thrown.
  pipeline(input, transform, () => undefined);
  try {
    for await (const piece of transform) yield piece as Uint8Array;
  } catch (error) {
    throw sourceError === null ? wrapError(error) : (sourceError as { readonly error: unknown }).error;
  }

  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      // zlib works on one piece in another thread while the next is read, perhaps into the same buffer: it gets a copy.
      for await (const piece of source) if (piece.length > 0) yield Uint8Array.from(piece);
    } catch (error) {
      sourceError = { error };
      throw error;
    }
  }
}

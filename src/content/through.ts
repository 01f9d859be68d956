/** Pieces through one of Node's transforms (zlib), pulled: nothing is asked of the source before somebody asks for output. */
import type { Transform } from 'node:stream';

/**
 * Owns `transform`: it is destroyed when the output ends, fails, or nobody reads on, and then the source is left too. An error of
 * the source comes through as it is, one of the transform as `wrapError` makes it. Pieces of the source are copied: zlib works on
 * one in another thread while the next is read, perhaps into the same buffer.
 */
export async function* through(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
  wrapError: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = source[Symbol.asyncIterator]();
  const pump = new Pump(pieces, transform);
  // Whoever reads the transform gets its errors; this keeps the last of them from being thrown.
  transform.on('error', () => undefined);
  void pump.run();
  try {
    for await (const piece of transform) yield piece as Uint8Array;
  } catch (error) {
    throw pump.failure === null ? wrapError(error) : pump.failure.error;
  } finally {
    // Not awaited: a source that is in the middle of waiting may never come back.
    if (!pump.isDone) void pieces.return?.().catch(() => undefined);
  }
}

class Pump {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #transform: Transform;
  /** The source is at its end, or has failed. */
  isDone = false;
  failure: { readonly error: unknown } | null = null;

  constructor(pieces: AsyncIterator<Uint8Array>, transform: Transform) {
    this.#pieces = pieces;
    this.#transform = transform;
  }

  async run(): Promise<void> {
    const transform = this.#transform;
    try {
      for (let next = await this.#pieces.next(); next.done !== true; next = await this.#pieces.next()) {
        if (transform.destroyed) return;
        if (!transform.write(Uint8Array.from(next.value))) await drained(transform);
        if (transform.destroyed) return;
      }
      this.isDone = true;
      transform.end();
    } catch (error) {
      this.isDone = true;
      this.failure = { error };
      transform.destroy(new Error('the source failed', { cause: error }));
    }
  }
}

/** Or destroyed. */
function drained(transform: Transform): Promise<void> {
  return new Promise((resolve) => {
    transform.once('drain', settle);
    transform.once('close', settle);

    function settle(): void {
      transform.off('drain', settle);
      transform.off('close', settle);
      resolve();
    }
  });
}

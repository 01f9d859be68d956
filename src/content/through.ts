/** Pulls pieces through one of Node's transforms (zlib). Reads nothing from the source before output is requested. */
import type { Transform } from 'node:stream';

/**
 * Owns `transform`: destroys it when the output ends, fails or is abandoned, and then returns the source. Errors of the source
 * pass through; errors of the transform go through `wrapError`. Copies the pieces: zlib works on one in another thread while the
 * source may reuse its buffer for the next.
 */
export async function* through(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
  wrapError: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = source[Symbol.asyncIterator]();
  const pump = new Pump(pieces, transform);
  // The reader of the transform gets its errors; this keeps Node from also throwing them as unhandled events.
  transform.on('error', () => undefined);
  void pump.run();
  try {
    for await (const piece of transform) yield piece as Uint8Array;
  } catch (error) {
    throw pump.failure === null ? wrapError(error) : pump.failure.error;
  } finally {
    // Not awaited: a generator that is blocked in its own await settles only when that does.
    if (!pump.isDone) void pieces.return?.().catch(() => undefined);
  }
}

class Pump {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #transform: Transform;
  /** The source has ended or failed. */
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

/** Also resolves if the transform is destroyed. */
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

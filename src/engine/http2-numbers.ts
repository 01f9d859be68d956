/**
 * What one client of HTTP/2 has said of which stream numbers (RFC 9113 §5.1.1): used, left out, cut off by us. Bounded: the oldest are
 * forgotten.
 */

const MAX_REMEMBERED = 128;

export class StreamNumbers {
  /** The highest so far. */
  last = 0;
  readonly #skipped = new Set<number>();
  readonly #cut = new Set<number>();

  /** Nothing has been said of it yet; or it is none of a client's. */
  isIdle(stream: number): boolean {
    return stream % 2 === 0 || stream > this.last;
  }

  /** It was left out, and is closed by that. */
  isSkipped(stream: number): boolean {
    return this.#skipped.has(stream);
  }

  /** We have cut it off: what is still on its way is to be ignored. */
  isCut(stream: number): boolean {
    return this.#cut.has(stream);
  }

  use(stream: number): void {
    const next = this.last === 0 ? 1 : this.last + 2;
    for (let skipped = next; skipped < stream && this.#skipped.size < MAX_REMEMBERED; skipped += 2)
      this.#skipped.add(skipped);
    this.last = stream;
  }

  cut(stream: number): void {
    if (this.#cut.size >= MAX_REMEMBERED) this.#cut.delete(this.#cut.values().next().value as number);
    this.#cut.add(stream);
  }
}

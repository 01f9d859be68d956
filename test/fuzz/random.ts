/** Random numbers from a seed (xorshift32), so that every fuzz run can be repeated. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighboring seeds must not give similar sequences, and zero is not a valid state.
    this.#state = (Math.imul(seed ^ (seed >>> 16), 0x9e3779b1) ^ 0x5bd1e995) | 0 || 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** 0 to 2^32 - 1. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    return this.next() % limit;
  }

  /** One time in `times`. */
  oneIn(times: number): boolean {
    return this.next() % times === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.next() % choices.length] as T;
  }
}

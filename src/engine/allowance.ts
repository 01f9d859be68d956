/** What a client may do a number of times at once, and then so often per second. */

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Streams that may be cut off by a client, or for its faults; beyond it, the connection ends (CVE-2023-44487). */
export const RESETS: Rate = { burst: 200, perSecond: 33 };

export class Allowance {
  readonly #rate: Rate;
  #left: number;
  #since: number;

  /** `now` on the engine's clock, in milliseconds, as in `take`. */
  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#since = now;
  }

  /** False: that was once too often. */
  take(now: number): boolean {
    const { burst, perSecond } = this.#rate;
    this.#left = Math.min(burst, this.#left + ((now - this.#since) / 1000) * perSecond) - 1;
    this.#since = now;
    return this.#left >= 0;
  }
}

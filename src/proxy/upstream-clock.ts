/** One coarse timer for all deadlines of a worker's upstream connections. Ticks only while there are any. */
import { SystemClock } from '../engine/clock.ts';

export interface Watched {
  /** Index in the clock's list; only the clock sets it. */
  index: number;
  /** When `onDeadline` is due, on this clock. */
  deadline: number;
  onDeadline(): void;
}

export class UpstreamClock {
  readonly #clock = new SystemClock('', () => this.#tick());
  readonly #watched: Watched[] = [];

  /** Milliseconds, as of the last tick. */
  get now(): number {
    return this.#clock.now;
  }

  watch(one: Watched): void {
    this.#clock.wake();
    one.index = this.#watched.length;
    this.#watched.push(one);
  }

  forget(one: Watched): void {
    const last = this.#watched.pop() as Watched;
    if (last === one) return;
    this.#watched[one.index] = last;
    last.index = one.index;
  }

  /** Makes `now` right after a time without anything to watch. */
  wake(): void {
    this.#clock.wake();
  }

  #tick(): boolean {
    const { now } = this;
    // Backwards: one that is forgotten is replaced by the last one, which has been looked at.
    for (let i = this.#watched.length - 1; i >= 0; i--) {
      const one = this.#watched[i];
      if (one !== undefined && one.deadline <= now) one.onDeadline();
    }
    return this.#watched.length > 0;
  }
}

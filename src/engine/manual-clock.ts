/** A clock that stands still until somebody moves it: for tests of what takes time. */
import type { SharedFields } from '../http/reply.ts';
import { type Clock, fieldsOf, TICK_MS } from './clock.ts';

export class ManualClock implements Clock {
  now = 0;
  sharedFields: SharedFields;
  readonly #startMs = Date.now();
  readonly #onTick: () => boolean;
  #isStopped = false;

  constructor(keepAlive: string, onTick: () => boolean) {
    this.#onTick = onTick;
    this.sharedFields = fieldsOf(Math.floor(this.#startMs / 1000), keepAlive);
  }

  wake(): void {}

  stop(): void {
    this.#isStopped = true;
  }

  /** Ticks as often as the system's clock would have in that time, and once more at its end. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`time must be advanced by milliseconds from 0, got ${ms}`);
    const end = this.now + ms;
    while (this.now < end && !this.#isStopped) {
      this.now = Math.min(end, this.now + TICK_MS);
      const second = Math.floor((this.#startMs + this.now) / 1000);
      this.sharedFields = fieldsOf(second, this.sharedFields.keepAlive);
      this.#onTick();
    }
  }
}

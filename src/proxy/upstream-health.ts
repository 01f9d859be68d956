/** Whether an upstream gets requests: judged by checks, and by the requests themselves. */
import type { PassiveSettings } from './settings.ts';

export class UpstreamHealth {
  /** Checks have failed. */
  isCheckedDown = false;
  readonly #passive: PassiveSettings;
  #failures = 0;
  #windowStart = 0;
  /** Out until then, for its failures. */
  #outUntil = 0;
  #backOffMs: number;

  constructor(passive: PassiveSettings) {
    this.#passive = passive;
    this.#backOffMs = passive.backOffMs;
  }

  /** Taken out for its failures; if all are, they are used anyway. */
  isOut(now: number): boolean {
    return now < this.#outUntil;
  }

  /** True: it is taken out. */
  countFailure(now: number): boolean {
    const { maxFails, windowMs, maxBackOffMs } = this.#passive;
    if (maxFails === 0 || this.isOut(now)) return false;
    const isBack = this.#outUntil > 0;
    if (now - this.#windowStart > windowMs) {
      this.#windowStart = now;
      this.#failures = 0;
    }
    // One that has just come back has no credit.
    if (++this.#failures < maxFails && !isBack) return false;
    this.#outUntil = now + this.#backOffMs;
    this.#backOffMs = Math.min(2 * this.#backOffMs, maxBackOffMs);
    this.#failures = 0;
    return true;
  }

  countSuccess(): void {
    this.#failures = 0;
    if (this.#outUntil === 0) return;
    this.#outUntil = 0;
    this.#backOffMs = this.#passive.backOffMs;
  }
}

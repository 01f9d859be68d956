/**
 * The coarse clock of a worker: one timer for all deadlines and for Date, however many connections there are. It ticks only
 * while somebody needs it, so an idle server sleeps.
 */
import { imfDate } from '../http/imf-date.ts';
import type { SharedFields } from '../http/reply.ts';

/** Time between two ticks: what deadlines are late by at most. */
export const TICK_MS = 250;

/** What the engine needs of a clock. */
export interface Clock {
  /** Milliseconds of a monotonic clock, as of the last tick. */
  readonly now: number;
  /** Made anew each second (RFC 9110 §6.6.1). */
  sharedFields: SharedFields;
  /** Makes sure that it ticks. */
  wake(): void;
  stop(): void;
}

/** `keepAlive` goes into every answer; `onTick` is called at every tick and says whether another one is needed. */
export type MakeClock = (keepAlive: string, onTick: () => boolean) => Clock;

export class SystemClock implements Clock {
  now = 0;
  sharedFields: SharedFields;
  readonly #onTick: () => boolean;
  #second = 0;
  /** Owned: cleared in stop(). */
  #timer: NodeJS.Timeout | null = null;
  /** Owned: cleared in stop(). */
  #afterReading: NodeJS.Immediate | null = null;

  constructor(keepAlive: string, onTick: () => boolean) {
    this.sharedFields = { date: '', keepAlive };
    this.#onTick = onTick;
  }

  wake(): void {
    if (this.#timer !== null) return;
    this.#update();
    this.#schedule();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#afterReading !== null) clearImmediate(this.#afterReading);
    this.#timer = null;
    this.#afterReading = null;
  }

  #schedule(): void {
    // Ticks fall on full seconds, so that Date is never late by more than the event loop is.
    this.#timer = setTimeout(() => this.#tick(), TICK_MS - (Date.now() % TICK_MS) + 1);
  }

  #tick(): void {
    this.#update();
    // Read sockets before judging deadlines: what lies in the kernel because we were busy was not late.
    this.#afterReading = setImmediate(() => {
      this.#afterReading = null;
      this.#timer = null;
      if (this.#onTick() && this.#timer === null) this.#schedule();
    });
  }

  #update(): void {
    // Monotonic like performance.now(), without the 2 ms that loading its module takes.
    this.now = process.uptime() * 1000;
    const second = Math.floor(Date.now() / 1000);
    if (second === this.#second) return;
    this.#second = second;
    const { keepAlive } = this.sharedFields;
    this.sharedFields = fieldsOf(second, keepAlive);
  }
}

/** What answers say in that second of the epoch. */
export function fieldsOf(second: number, keepAlive: string): SharedFields {
  return { date: `Date: ${imfDate(second)}\r\n`, keepAlive };
}

/**
 * Token buckets in memory that all workers share, by the generic cell rate algorithm (ITU-T I.371): a client is one number, the time
 * at which its bucket would be full again. No lock; bounded: of more clients than there is room for, those go that would be full
 * the soonest.
 */
import { randomBytes } from 'node:crypto';

export interface SharedBuckets {
  /** Pairs: a key's fingerprint (0: free), and its time in units. */
  readonly cells: Int32Array<SharedArrayBuffer>;
  /** Makes fingerprints that nobody can aim at. */
  readonly seed: number;
}

export interface Rate {
  readonly requests: number;
  readonly perMs: number;
  readonly burst: number;
}

/** Of clients at once: 512 KiB. */
const CELLS = 65_536;
/** Cells that one fingerprint may be in. */
const WAYS = 8;
/** Units of time are compared as differences in 32 bits. */
const MOST_UNITS = 2 ** 29;
const FINEST_PER_MS = 1024;

export function makeBuckets(): SharedBuckets {
  return { cells: new Int32Array(new SharedArrayBuffer(8 * CELLS)), seed: randomBytes(4).readInt32LE() };
}

export class TokenBuckets {
  readonly #cells: Int32Array<SharedArrayBuffer>;
  readonly #seed: number;
  readonly #unitsPerMs: number;
  /** Units that a request costs, and those that may be ahead of now. */
  readonly #cost: number;
  readonly #ahead: number;
  readonly #now: () => number;

  /** `now` in milliseconds, the same in all threads. */
  constructor({ requests, perMs, burst }: Rate, { cells, seed }: SharedBuckets, now: () => number = sharedNow()) {
    this.#cells = cells;
    this.#seed = seed;
    this.#now = now;
    const costMs = perMs / requests;
    this.#unitsPerMs = Math.min(FINEST_PER_MS, MOST_UNITS / (costMs * (burst + 1)));
    this.#cost = Math.max(1, Math.round(costMs * this.#unitsPerMs));
    this.#ahead = this.#cost * (burst - 1);
  }

  /** 0: taken. Otherwise the milliseconds until there is a token. */
  take(key: string): number {
    const cells = this.#cells;
    const print = hashOf(key, this.#seed) || 1;
    const now = (this.#now() * this.#unitsPerMs) | 0;
    const at = this.#find(print, now);
    for (;;) {
      const full = Atomics.load(cells, at + 1);
      const isCurrent = Atomics.load(cells, at) === print && this.#isAhead(full, now);
      const from = isCurrent ? full : now;
      const used = (from - now) | 0;
      if (used > this.#ahead) return Math.max(1, (used - this.#ahead) / this.#unitsPerMs);
      if (Atomics.compareExchange(cells, at + 1, full, (from + this.#cost) | 0) !== full) continue;
      Atomics.store(cells, at, print);
      return 0;
    }
  }

  /** A time is ahead of now by no more than a full burst; any other is old, whatever its sign has become. */
  #isAhead(full: number, now: number): boolean {
    const ahead = (full - now) | 0;
    return ahead > 0 && ahead <= this.#ahead + this.#cost;
  }

  /** Where the fingerprint is, or may be put. */
  #find(print: number, now: number): number {
    const cells = this.#cells;
    const first = (Math.imul(print, 0x9e3779b1) >>> 0) % (CELLS - WAYS);
    let best = 2 * first;
    let soonest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < WAYS; i++) {
      const at = 2 * (first + i);
      if (Atomics.load(cells, at) === print) return at;
      const full = Atomics.load(cells, at + 1);
      const ahead = this.#isAhead(full, now) ? (full - now) | 0 : 0;
      if (ahead >= soonest) continue;
      soonest = ahead;
      best = at;
    }
    return best;
  }
}

/** Murmur's, by 16-bit characters. */
function hashOf(key: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}

/** Of the system's monotonic clock: `performance.now()` starts anew in each thread. */
function sharedNow(): () => number {
  const offset = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();
  return () => performance.now() + offset;
}

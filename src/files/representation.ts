/** One version of a file: its validators, and its bytes or its descriptor. */
import type { Buffer } from 'node:buffer';
import type { Stats } from 'node:fs';
import type { Validators } from '../content/conditional.ts';
import { formatHttpDate } from '../content/http-date.ts';
import type { ContentCoding } from '../content/negotiation.ts';
import { OpenFile } from './open-file.ts';
import type { PlanSet } from './plan-set.ts';

export type Coding = ContentCoding | 'identity';

/** File times advance with the kernel's timer, in steps of up to 10 ms. */
const CLOCK_TICK_MS = 20;

export class Representation implements Validators {
  readonly coding: Coding;
  readonly size: number;
  readonly etag: string;
  readonly lastModified: number;
  readonly lastModifiedText: string;
  /** The whole content, if it is small. */
  readonly body: Buffer | null;
  /** Owned: released in `close`. Null if there is a body. */
  readonly file: OpenFile | null;
  /** Answers prepared for it. */
  plans: PlanSet | null = null;
  readonly #stats: Stats;
  /** Read so soon after a write that a second write may have got the same time. */
  readonly #isFresh: boolean;

  constructor(coding: Coding, stats: Stats, content: Buffer | OpenFile) {
    this.coding = coding;
    this.#stats = stats;
    this.#isFresh = Math.abs(Date.now() - stats.mtimeMs) < CLOCK_TICK_MS;
    this.size = stats.size;
    this.etag = etagOf(stats, coding);
    // Never later than Date (RFC 9110 §8.8.2.1), whatever the file says.
    this.lastModified = Math.min(stats.mtimeMs, Date.now());
    this.lastModifiedText = formatHttpDate(this.lastModified);
    this.body = content instanceof OpenFile ? null : content;
    this.file = content instanceof OpenFile ? content : null;
  }

  /** Whether a file with these stats is certainly this version. */
  isOf(stats: Stats): boolean {
    return !this.#isFresh && isSameVersion(this.#stats, stats);
  }

  close(): void {
    this.file?.release();
  }
}

/** Includes ctime, because programs can set mtime back. */
export function isSameVersion(one: Stats, other: Stats): boolean {
  return (
    one.mtimeMs === other.mtimeMs &&
    one.size === other.size &&
    one.ino === other.ino &&
    one.ctimeMs === other.ctimeMs &&
    one.dev === other.dev
  );
}

/**
 * Size, and mtime in microseconds: equal on all machines that have copies with preserved times. Each coding has its own tag (RFC
 * 9110 §8.8.3.3).
 */
function etagOf({ size, mtimeMs }: Stats, coding: Coding): string {
  const time = Math.round(mtimeMs * 1000).toString(36);
  return `"${size.toString(36)}-${time}${coding === 'identity' ? '' : `-${coding}`}"`;
}

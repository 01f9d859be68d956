/** One version of one file as answers speak of it: its validators, and its bytes or its descriptor. */
import type { Buffer } from 'node:buffer';
import type { Stats } from 'node:fs';
import type { Validators } from '../content/conditional.ts';
import { formatHttpDate } from '../content/http-date.ts';
import type { ContentCoding } from '../content/negotiation.ts';
import { OpenFile } from './open-file.ts';
import type { PlanSet } from './plan-set.ts';

export type Coding = ContentCoding | 'identity';

/** Times of files go in steps of the kernel's timer: 10 ms at most. */
const CLOCK_TICK_MS = 20;

export class Representation implements Validators {
  readonly coding: Coding;
  readonly size: number;
  readonly etag: string;
  readonly lastModified: number;
  readonly lastModifiedText: string;
  /** All of it, if it is small. */
  readonly body: Buffer | null;
  /** Owned where there is no body: released in `close`. */
  readonly file: OpenFile | null;
  /** The answers that were made of it. */
  plans: PlanSet | null = null;
  readonly #stats: Stats;
  /** Read so soon after it was written that it may have been written once more at the same time, as the file system tells it. */
  readonly #isFresh: boolean;

  constructor(coding: Coding, stats: Stats, content: Buffer | OpenFile) {
    this.coding = coding;
    this.#stats = stats;
    this.#isFresh = Math.abs(Date.now() - stats.mtimeMs) < CLOCK_TICK_MS;
    this.size = stats.size;
    this.etag = etagOf(stats, coding);
    this.lastModified = stats.mtimeMs;
    this.lastModifiedText = formatHttpDate(stats.mtimeMs);
    this.body = content instanceof OpenFile ? null : content;
    this.file = content instanceof OpenFile ? content : null;
  }

  /** Whether a file with these stats is certainly this one, unchanged. */
  isOf(stats: Stats): boolean {
    return !this.#isFresh && isSameVersion(this.#stats, stats);
  }

  close(): void {
    this.file?.release();
  }
}

/** The time of the last change of the inode counts too: it cannot be set back, as the other can. */
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
 * Size, and time in microseconds: the same on every machine that has the same files with their times. Of other bytes, as a coding
 * makes them, the tag is another one (RFC 9110 §8.8.3.3).
 */
function etagOf({ size, mtimeMs }: Stats, coding: Coding): string {
  const time = Math.round(mtimeMs * 1000).toString(36);
  return `"${size.toString(36)}-${time}${coding === 'identity' ? '' : `-${coding}`}"`;
}

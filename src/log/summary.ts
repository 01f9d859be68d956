/** Requests of an access log added up by hour, day, status or path, and shown as a table. Bounded, however long the log is. */
import type { LoggedRequest } from './read-line.ts';

export const SUMMARY_KEYS = ['hour', 'day', 'status', 'path'] as const;
export type SummaryKey = (typeof SUMMARY_KEYS)[number];

/** Further paths are counted together. */
const MAX_GROUPS = 100_000;
const OTHERS = '(others)';
/** Four buckets for each doubling: percentiles are at most a fifth too high. */
const PER_DOUBLING = 4;
const TIME_BUCKETS = 32 * PER_DOUBLING;

class Group {
  requests = 0;
  errors = 0;
  bytes = 0;
  timed = 0;
  totalMs = 0;
  /** By duration; made for the first that has one. */
  times: Uint32Array | null = null;

  add({ status, bytes, ms }: LoggedRequest): void {
    this.requests++;
    if (status >= 500 || status === 0) this.errors++;
    this.bytes += bytes;
    if (ms === null) return;
    this.timed++;
    this.totalMs += ms;
    this.times ??= new Uint32Array(TIME_BUCKETS);
    const bucket = Math.max(0, Math.floor(Math.log2(Math.max(1, ms * 1000)) * PER_DOUBLING));
    const at = Math.min(TIME_BUCKETS - 1, bucket);
    this.times[at] = (this.times[at] as number) + 1;
  }

  /** The upper bound, in milliseconds, of what that part of the requests took. */
  percentile(part: number): number | null {
    const { times } = this;
    if (times === null) return null;
    let seen = 0;
    for (let bucket = 0; bucket < TIME_BUCKETS; bucket++) {
      seen += times[bucket] as number;
      if (seen >= part * this.timed) return 2 ** ((bucket + 1) / PER_DOUBLING) / 1000;
    }
    return null;
  }
}

export class LogSummary {
  readonly #by: SummaryKey;
  readonly #groups = new Map<string, Group>();
  readonly #all = new Group();

  constructor(by: SummaryKey) {
    this.#by = by;
  }

  get requests(): number {
    return this.#all.requests;
  }

  add(request: LoggedRequest): void {
    this.#all.add(request);
    const key = this.#keyOf(request);
    let group = this.#groups.get(key);
    if (group === undefined) {
      const name = this.#groups.size < MAX_GROUPS ? key : OTHERS;
      group = this.#groups.get(name) ?? new Group();
      this.#groups.set(name, group);
    }
    group.add(request);
  }

  /** The `most` groups with the most requests; hours, days and statuses in their order. */
  table(most: number): string {
    const all = [...this.#groups].sort(([, one], [, other]) => other.requests - one.requests);
    const shown = all.slice(0, most);
    if (this.#by !== 'path') shown.sort(([one], [other]) => (one < other ? -1 : 1));
    const rows = shown.map(([key, group]) => cells(printable(key), group));
    const total = cells(shown.length < all.length ? `all ${all.length}` : 'all', this.#all);
    return aligned([[this.#by, 'requests', '5xx', 'bytes', 'mean ms', 'p95 ms'], ...rows, total]);
  }

  #keyOf({ time, status, path }: LoggedRequest): string {
    switch (this.#by) {
      case 'status':
        return String(status);
      case 'path':
        return path;
      case 'day':
        return new Date(time).toISOString().slice(0, 10);
      case 'hour':
        return `${new Date(time).toISOString().slice(0, 13).replace('T', ' ')}:00`;
    }
  }
}

function cells(name: string, group: Group): string[] {
  const { requests, errors, bytes, timed, totalMs } = group;
  const p95 = group.percentile(0.95);
  return [
    name,
    String(requests),
    String(errors),
    String(bytes),
    timed === 0 ? '-' : (totalMs / timed).toFixed(1),
  ].concat(p95 === null ? '-' : p95.toFixed(1));
}

/** The first column is text, the others are numbers. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
    );
  return rows.map((row) => `${line(row).join('  ').trimEnd()}\n`).join('');
}

/** A path may hold anything; nothing in it may steer a terminal. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
}

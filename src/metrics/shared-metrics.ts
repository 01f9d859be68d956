/** What is counted of requests, in memory that all workers share: each writes its own part, anybody may add them up. */

export type SharedMetrics = Float64Array<SharedArrayBuffer>;

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other'] as const;
export const VERSIONS = ['1.0', '1.1', '2', '3'] as const;
/** Upper bounds of the histogram, in seconds; one more counts everything. */
export const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
/** Statuses from 0, which stands for no answer, to 599. */
const STATUSES = 600;

const BYTES = 0;
const SECONDS = 1;
const ABORTED = 2;
const CONNECTIONS = 3;
const FIRST_VERSION = 4;
const FIRST_BUCKET = FIRST_VERSION + VERSIONS.length;
const FIRST_COUNT = FIRST_BUCKET + BUCKETS.length + 1;
/** Of a worker: whole cache lines. */
const STRIDE = Math.ceil((FIRST_COUNT + METHODS.length * STATUSES) / 8) * 8;

export function createMetrics(workers: number): SharedMetrics {
  return new Float64Array(new SharedArrayBuffer(8 * STRIDE * workers));
}

/** One worker's part. */
export class WorkerMetrics {
  readonly #cells: SharedMetrics;

  constructor(shared: SharedMetrics, worker: number) {
    this.#cells = shared.subarray(worker * STRIDE, (worker + 1) * STRIDE);
  }

  count(
    method: string,
    version: (typeof VERSIONS)[number],
    status: number,
    bytes: number,
    seconds: number,
    isAborted: boolean,
  ): void {
    const cells = this.#cells;
    const spoken = FIRST_VERSION + VERSIONS.indexOf(version);
    cells[spoken] = (cells[spoken] as number) + 1;
    const place = FIRST_COUNT + indexOf(method) * STATUSES + (status < STATUSES ? status : 0);
    cells[place] = (cells[place] as number) + 1;
    cells[BYTES] = (cells[BYTES] as number) + bytes;
    cells[SECONDS] = (cells[SECONDS] as number) + seconds;
    if (isAborted) cells[ABORTED] = (cells[ABORTED] as number) + 1;
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] as number)) bucket++;
    cells[FIRST_BUCKET + bucket] = (cells[FIRST_BUCKET + bucket] as number) + 1;
  }

  setConnections(count: number): void {
    this.#cells[CONNECTIONS] = count;
  }
}

/** Of all workers. */
export interface Totals {
  readonly bytes: number;
  readonly seconds: number;
  readonly aborted: number;
  readonly connections: number;
  readonly versions: readonly { readonly version: string; readonly count: number }[];
  /** Requests that took no longer than each of `BUCKETS`, and all. */
  readonly cumulative: readonly number[];
  readonly requests: readonly { readonly method: string; readonly status: number; readonly count: number }[];
}

export function totalsOf(shared: SharedMetrics): Totals {
  const sum = (place: number) => {
    let total = 0;
    for (let at = place; at < shared.length; at += STRIDE) total += shared[at] as number;
    return total;
  };
  let below = 0;
  const cumulative = Array.from({ length: BUCKETS.length + 1 }, (_, bucket) => (below += sum(FIRST_BUCKET + bucket)));
  const requests = METHODS.flatMap((method, index) =>
    Array.from({ length: STATUSES }, (_, status) => ({
      method,
      status,
      count: sum(FIRST_COUNT + index * STATUSES + status),
    })).filter(({ count }) => count > 0),
  );
  return {
    bytes: sum(BYTES),
    seconds: sum(SECONDS),
    aborted: sum(ABORTED),
    connections: sum(CONNECTIONS),
    versions: VERSIONS.map((version, index) => ({ version, count: sum(FIRST_VERSION + index) })),
    cumulative,
    requests,
  };
}

function indexOf(method: string): number {
  const index = (METHODS as readonly string[]).indexOf(method);
  return index < 0 ? METHODS.length - 1 : index;
}

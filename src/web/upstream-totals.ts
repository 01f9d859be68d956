/** What is counted of upstreams in all workers: each writes its part of shared memory now and then, anybody may add them up. */
import type { UpstreamMetrics } from '../metrics/exposition.ts';
import { FAILURES, type FailureReason } from '../proxy/failures.ts';
import type { ReverseProxy } from '../proxy/reverse-proxy.ts';
import type { WebConfig } from './config/web-config.ts';

/** For each worker, for each upstream in the order of the configuration: the fields below. */
export type UpstreamCells = Float64Array<SharedArrayBuffer>;

const HEALTHY = 0;
const REQUESTS = 1;
const ACTIVE = 2;
const FIRST_FAILURE = 3;
const REASONS = Object.keys(FAILURES) as FailureReason[];
const FIELDS = FIRST_FAILURE + REASONS.length;

type Proxies = ReadonlyMap<string, ReverseProxy>;

export function makeUpstreamCells(workers: number, { backends }: WebConfig): UpstreamCells {
  const upstreams = Object.values(backends).reduce((sum, backend) => sum + backend.upstreams.length, 0);
  return new Float64Array(new SharedArrayBuffer(8 * FIELDS * upstreams * workers));
}

/** This worker's part, as it is now. */
export function publishUpstreams(cells: UpstreamCells, workers: number, worker: number, proxies: Proxies): void {
  let at = (cells.length / workers) * worker;
  for (const proxy of proxies.values()) {
    for (const { isHealthy, counters } of proxy.states()) {
      cells[at + HEALTHY] = isHealthy ? 1 : 0;
      cells[at + REQUESTS] = counters.requests;
      cells[at + ACTIVE] = counters.active;
      for (let i = 0; i < REASONS.length; i++)
        cells[at + FIRST_FAILURE + i] = counters.failures[REASONS[i] as FailureReason];
      at += FIELDS;
    }
  }
}

export function upstreamTotals(cells: UpstreamCells, workers: number, proxies: Proxies): UpstreamMetrics[] {
  const stride = cells.length / workers;
  let first = 0;
  return [...proxies].flatMap(([backend, proxy]) =>
    proxy.states().map(({ url }) => {
      const sum = (field: number) => {
        let total = 0;
        for (let at = first + field; at < cells.length; at += stride) total += cells[at] as number;
        return total;
      };
      const totals = {
        backend,
        upstream: url,
        healthy: sum(HEALTHY) / workers,
        requests: sum(REQUESTS),
        failures: Object.fromEntries(REASONS.map((reason, index) => [reason, sum(FIRST_FAILURE + index)])),
        active: sum(ACTIVE),
      };
      first += FIELDS;
      return totals;
    }),
  );
}

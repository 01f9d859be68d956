/** What the workers of a web server share: made by the first, sent to all, made anew for a new configuration but for what it keeps. */
import { createMetrics, type SharedMetrics } from '../metrics/shared-metrics.ts';
import type { TicketSecret } from '../tls/ticket-keys.ts';
import { type ApplicationCells, makeApplicationCells } from './application-cells.ts';
import type { WebConfig } from './config/web-config.ts';
import { bucketsKey } from './guards/make-guards.ts';
import { makeBuckets, type SharedBuckets } from './guards/token-buckets.ts';
import { makeUpstreamCells, type UpstreamCells } from './upstream-totals.ts';

export interface SharedState {
  /** How many workers there are to be, which share what the configuration allows in total. */
  readonly workers: number;
  /** By rate limit. */
  readonly buckets: Readonly<Record<string, SharedBuckets>>;
  readonly metrics: SharedMetrics;
  /** Of the upstreams of this configuration. */
  readonly upstreams: UpstreamCells;
  readonly applications: ApplicationCells;
  /** null: no listener has TLS. */
  readonly tickets: TicketSecret | null;
}

/** The same as before, so that sessions of clients stay valid. */
export async function makeTickets(config: WebConfig, before: TicketSecret | null = null): Promise<TicketSecret | null> {
  if (config.tls === null || before !== null) return before;
  const { makeTicketSecret } = await import('../tls/ticket-keys.ts');
  return makeTicketSecret();
}

export function makeSharedState(
  workers: number,
  config: WebConfig,
  tickets: TicketSecret | null,
  before: SharedState | null = null,
): SharedState {
  const buckets: Record<string, SharedBuckets> = {};
  for (const { routes } of config.sites) {
    for (const { security } of routes) {
      if (security.rateLimit === null) continue;
      const key = bucketsKey(security.rateLimit);
      buckets[key] ??= before?.buckets[key] ?? makeBuckets();
    }
  }
  return {
    workers,
    buckets,
    metrics: before?.metrics ?? createMetrics(workers),
    upstreams: makeUpstreamCells(workers, config),
    applications: makeApplicationCells(config),
    tickets,
  };
}

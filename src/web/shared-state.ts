/** What the workers of a web server share: made by the first, sent to all, made anew for a new configuration but for what it keeps. */
import { createMetrics, type SharedMetrics } from '../metrics/shared-metrics.ts';
import type { SharedTls } from '../tls/server-tls.ts';
import type { WebConfig } from './config/web-config.ts';
import { bucketsKey } from './guards/make-guards.ts';
import { makeBuckets, type SharedBuckets } from './guards/token-buckets.ts';

export interface SharedState {
  /** How many workers there are to be, which share what the configuration allows in total. */
  readonly workers: number;
  /** By rate limit. */
  readonly buckets: Readonly<Record<string, SharedBuckets>>;
  readonly metrics: SharedMetrics;
  /** null: no listener has TLS. */
  readonly tls: SharedTls | null;
}

export async function shareTls(config: WebConfig, before: SharedTls | null = null): Promise<SharedTls | null> {
  if (config.tls === null) return null;
  const { shareWebTls } = await import('./web-tls.ts');
  return shareWebTls(config.tls, before);
}

export function makeSharedState(
  workers: number,
  config: WebConfig,
  tls: SharedTls | null,
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
  return { workers, buckets, metrics: before?.metrics ?? createMetrics(workers), tls };
}

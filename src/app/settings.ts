/** `Options` of `serve()` checked, their defaults filled in. */
import { availableParallelism } from 'node:os';
import { TrustedProxies } from '../content/forwarded.ts';
import type { EngineLimits } from '../engine/limits.ts';
import type { Tls } from '../tls/options.ts';
import type { Limits, Options } from './app.ts';
import { checkInside, isBunsNoTls } from './check-app.ts';
import { type WantedListener, wantedListeners } from './listeners.ts';

const KIB = 1024;

export const DEFAULT_LIMITS: Limits = {
  maxRequestLine: 8 * KIB,
  maxHeaderSize: 16 * KIB,
  maxHeaderCount: 100,
  maxBodySize: 128 * KIB * KIB,
  maxDropped: 256 * KIB,
  maxConnections: 65_536,
  maxRequests: 0,
  idleMs: 75_000,
  headerMs: 10_000,
  bodyMs: 30_000,
  requestMs: 300_000,
  handlerMs: 0,
  sendMs: 30_000,
};
const DEFAULT_DRAIN_MS = 10_000;

export interface ServeSettings {
  /** At least one. */
  readonly listeners: readonly WantedListener[];
  /** null: plain HTTP. */
  readonly tls: Tls | null;
  readonly http2: boolean;
  readonly http3: boolean;
  readonly workers: number;
  readonly isolation: 'thread' | 'process';
  readonly entry: string | URL | null;
  readonly limits: EngineLimits;
  readonly proxies: TrustedProxies | null;
  readonly signal: AbortSignal | null;
  readonly handlesSignals: boolean;
  readonly drainMs: number;
}

/** Of options that have passed `checkedApp` or `checkOptions`. Throws a RangeError or TypeError that names the option. */
export function resolveOptions(options: Options): ServeSettings {
  const { trustProxy = false, workers = 1, isolation = 'thread' } = options;
  checkInside(options);
  const tls = options.tls === undefined || isBunsNoTls(options.tls) ? null : options.tls;
  if (options.http3 === true && tls === null) throw new TypeError('http3 must come with tls');
  return {
    listeners: wantedListeners(options),
    isolation,
    tls,
    http2: options.http2 ?? tls !== null,
    http3: options.http3 ?? false,
    workers: workers === 'auto' ? availableParallelism() : Math.max(1, workers),
    entry: options.entry ?? null,
    limits: resolveLimits(limitsOf(options)),
    proxies: trustProxy === false ? null : new TrustedProxies(trustProxy),
    signal: options.signal ?? null,
    handlesSignals: options.handleSignals ?? false,
    drainMs: options.drainMs ?? DEFAULT_DRAIN_MS,
  };
}

function limitsOf({ limits, idleTimeout, maxRequestBodySize }: Options): Partial<Limits> {
  return {
    ...(idleTimeout === undefined ? {} : { idleMs: idleTimeout * 1000 }),
    ...(maxRequestBodySize === undefined ? {} : { maxBodySize: maxRequestBodySize }),
    ...limits,
  };
}

function resolveLimits(given: Partial<Limits>): EngineLimits {
  const limit = (name: keyof Limits): number => given[name] ?? DEFAULT_LIMITS[name];
  const time = (name: keyof Limits): number => limit(name) || Number.POSITIVE_INFINITY;
  return {
    maxRequestLine: limit('maxRequestLine'),
    maxHeaderSize: limit('maxHeaderSize'),
    maxHeaderCount: limit('maxHeaderCount'),
    maxBodySize: limit('maxBodySize'),
    maxDropped: limit('maxDropped'),
    maxConnections: limit('maxConnections'),
    maxRequests: time('maxRequests'),
    idleTimeoutMs: time('idleMs'),
    headerTimeoutMs: time('headerMs'),
    bodyTimeoutMs: time('bodyMs'),
    requestTimeoutMs: time('requestMs'),
    handlerTimeoutMs: time('handlerMs'),
    sendTimeoutMs: time('sendMs'),
  };
}

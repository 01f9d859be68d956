/** `Options` of `serve()` checked, their defaults filled in. */
import { availableParallelism } from 'node:os';
import { TrustedProxies } from '../content/forwarded.ts';
import type { EngineLimits } from '../engine/limits.ts';
import type { Tls } from '../tls/options.ts';
import type { Limits, Options } from './app.ts';
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

/** Throws a RangeError or TypeError that names the option. */
export function resolveOptions(options: Options): ServeSettings {
  const { trustProxy = false, workers = 1, isolation = 'thread' } = options;
  if (isolation !== 'thread' && isolation !== 'process') {
    throw new RangeError(`isolation must be 'thread' or 'process', got ${JSON.stringify(isolation)}`);
  }
  if (options.http3 === true && options.tls === undefined) throw new TypeError('http3 must come with tls');
  return {
    listeners: wantedListeners(options),
    isolation,
    tls: options.tls ?? null,
    http2: options.http2 ?? options.tls !== undefined,
    http3: options.http3 ?? false,
    workers: workers === 'auto' ? availableParallelism() : Math.max(1, wholeNumber('workers', workers, 1024)),
    entry: options.entry ?? null,
    limits: resolveLimits(options.limits ?? {}),
    proxies: trustProxy === false ? null : new TrustedProxies(trustProxy),
    signal: options.signal ?? null,
    handlesSignals: options.handleSignals ?? false,
    drainMs: wholeNumber('drainMs', options.drainMs ?? DEFAULT_DRAIN_MS),
  };
}

function resolveLimits(given: Partial<Limits>): EngineLimits {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      throw new RangeError(
        `limits must only hold ${Object.keys(DEFAULT_LIMITS).join(', ')}, got ${JSON.stringify(name)}`,
      );
    }
  }
  const limit = (name: keyof Limits): number => {
    const value = given[name] ?? DEFAULT_LIMITS[name];
    return value === Number.POSITIVE_INFINITY ? value : wholeNumber(`limits.${name}`, value);
  };
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

function wholeNumber(name: string, value: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < 0 || value > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? 'from 0' : `from 0 to ${max}`;
    throw new RangeError(`${name} must be a whole number ${range}, got ${value}`);
  }
  return value;
}

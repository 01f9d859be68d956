/** A proxy as data: its upstreams, how requests are spread over them, and what they may take. Times in milliseconds. */
import { type ResponseLimits, UNLIMITED_BODY } from '../http/limits.ts';

export const STRATEGIES = ['round_robin', 'least_conn', 'ip_hash', 'random_two'] as const;

export interface ProxySettings {
  /** For messages and metrics. */
  readonly name: string;
  readonly upstreams: readonly UpstreamSettings[];
  readonly strategy: (typeof STRATEGIES)[number];
  /** A cookie that keeps a client with its upstream; null: none. */
  readonly sticky: StickySettings | null;
  /** Active checks; null: none. */
  readonly health: HealthSettings | null;
  readonly passive: PassiveSettings;
  readonly timeouts: TimeoutSettings;
  /** Further attempts, if the request is safe to repeat. */
  readonly retries: number;
  /** Idle connections kept to one upstream, per worker. */
  readonly maxIdle: number;
  /** Requests to one upstream at once, per worker; further ones wait. Infinity: no limit. */
  readonly maxActive: number;
  /** What the upstream gets as Host: the client's, the upstream's own authority, or a fixed value. */
  readonly host: { readonly from: 'client' | 'upstream' } | { readonly fixed: string };
  /** How `https` upstreams are verified. */
  readonly tls: TlsSettings;
  /** X-Forwarded-For, -Host and -Proto; with `both` Forwarded (RFC 7239) too. */
  readonly forwarded: 'x' | 'both' | 'none';
  /** What the upstreams speak instead of HTTP; null: they speak that. */
  readonly fastCgi: FastCgiSettings | null;
}

export interface FastCgiSettings {
  /** Of the files of the application, as it sees them, without a slash at its end; '' if it has none. */
  readonly documentRoot: string;
  /** Connections are kept for further requests: each keeps a process of PHP-FPM busy. */
  readonly keepsConnections: boolean;
}

export interface UpstreamSettings {
  /** For messages and metrics; without user and password. */
  readonly url: string;
  readonly protocol: 'http' | 'https' | 'fastcgi';
  /** A name or an address, IPv6 without brackets; '' with a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly unixPath: string | null;
  /** Put before the path of every request, without a slash at its end; '' for none. */
  readonly basePath: string;
  /** Its share, relative to the others; 0: it gets no new clients. */
  readonly weight: number;
  /** Used only while no other is healthy. */
  readonly isBackup: boolean;
}

export interface StickySettings {
  readonly cookie: string;
  /** 0: until the browser closes. */
  readonly maxAgeS: number;
  readonly isSecure: boolean;
}

export interface HealthSettings {
  /** Path and query. */
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Good answers in a row until an upstream is healthy … */
  readonly rise: number;
  /** … and failures in a row until it is not. */
  readonly fall: number;
  /** Statuses that are good, both ends included. */
  readonly expected: { readonly from: number; readonly to: number };
  /** Host of the request; null: the upstream's authority. */
  readonly host: string | null;
}

export interface PassiveSettings {
  /** Failures within `windowMs` that take an upstream out; 0: never. */
  readonly maxFails: number;
  readonly windowMs: number;
  /** Out for this long the first time; doubles up to `maxBackOffMs`. */
  readonly backOffMs: number;
  readonly maxBackOffMs: number;
}

export interface TimeoutSettings {
  /** Until the connection stands, lookup and TLS included, and for a place if there are too many requests. */
  readonly connectMs: number;
  /** From the last byte of the request to the first of the answer. */
  readonly firstByteMs: number;
  /** Without progress of either content, and of a WebSocket. */
  readonly idleMs: number;
  /** An idle connection is kept for this long. */
  readonly keepAliveMs: number;
}

export interface TlsSettings {
  readonly verifies: boolean;
  /** PEM; null: those that Node.js carries. */
  readonly caFile: string | null;
  /** Checked and sent as SNI; null: the upstream's host. */
  readonly serverName: string | null;
}

/** What an upstream may send. */
export const RESPONSE_LIMITS: ResponseLimits = {
  maxStatusLine: 8192,
  maxHeaderSize: 64 * 1024,
  maxHeaderCount: 256,
  maxBodySize: UNLIMITED_BODY,
};

/** The authority of an upstream (RFC 9110 §7.2), as Host says it. */
export function authorityOf({ protocol, host, port, unixPath }: UpstreamSettings): string {
  if (unixPath !== null) return 'localhost';
  const name = host.includes(':') ? `[${host}]` : host;
  return port === (protocol === 'https' ? 443 : 80) ? name : `${name}:${port}`;
}

/** Backends as data: where requests are proxied to, how they are spread, watched, and started. Times in milliseconds. */
import type { Secret } from './secret.ts';

export const STRATEGIES = ['round_robin', 'least_conn', 'ip_hash', 'random_two'] as const;
export type Strategy = (typeof STRATEGIES)[number];

export const APP_TYPES = ['proxy', 'nodejs', 'python', 'tomcat'] as const;
export type AppType = (typeof APP_TYPES)[number];

export interface BackendConfig {
  /** Its key in the file; a name for messages and metrics. */
  readonly name: string;
  /** What it is written in: for people. */
  readonly appType: AppType;
  /** At least one, unless there is a process, which then has a port of its own choice. */
  readonly upstreams: readonly UpstreamConfig[];
  readonly strategy: Strategy;
  /** A cookie that keeps a client with its upstream; null: none. */
  readonly sticky: StickyConfig | null;
  /** Active checks; null: none. */
  readonly health: HealthConfig | null;
  readonly passive: PassiveHealthConfig;
  readonly timeouts: UpstreamTimeouts;
  /** Further upstreams tried, if the request is safe to repeat. */
  readonly retries: number;
  /** Idle connections kept to one upstream, per worker. */
  readonly maxIdle: number;
  /** Of requests to one upstream at once, per worker; Infinity: no limit. */
  readonly maxActive: number;
  /** What the upstream gets as Host: the client's, the upstream's own authority, or a fixed value. */
  readonly host: { readonly from: 'client' | 'upstream' } | { readonly fixed: string };
  /** How `https:` upstreams are verified. */
  readonly tls: UpstreamTls;
  /** X-Forwarded-For, -Host and -Proto; with `both` Forwarded (RFC 7239) too. */
  readonly forwarded: 'x' | 'both' | 'none';
  readonly process: ProcessConfig | null;
}

export interface UpstreamConfig {
  /** As it was written, without user and password. */
  readonly url: string;
  readonly protocol: 'http' | 'https';
  /** A name, an IPv4 address or an IPv6 address without brackets; '' with a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly unixPath: string | null;
  /** Put before the path of every request, without a slash at its end; '' for none. */
  readonly basePath: string;
  /** Its share, relative to the others; 0: it gets no new clients (drained). */
  readonly weight: number;
  /** Used only while no other is healthy. */
  readonly isBackup: boolean;
}

export interface StickyConfig {
  readonly cookie: string;
  readonly maxAgeS: number;
  readonly isSecure: boolean;
}

export interface HealthConfig {
  /** Path and query that are asked for. */
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Answers in a row that make an upstream healthy again … */
  readonly rise: number;
  /** … and failures in a row that make it unhealthy. */
  readonly fall: number;
  /** Statuses that are healthy, both ends included. */
  readonly expected: { readonly from: number; readonly to: number };
  /** Host of the request; null: the upstream's authority. */
  readonly host: string | null;
}

export interface PassiveHealthConfig {
  /** Failures within `windowMs` that take an upstream out; 0: never. */
  readonly maxFails: number;
  readonly windowMs: number;
  /** Out for this long the first time; doubles up to `maxBackOffMs`. */
  readonly backOffMs: number;
  readonly maxBackOffMs: number;
}

export interface UpstreamTimeouts {
  /** Until the connection stands, TLS included: 504. */
  readonly connectMs: number;
  /** From the last byte of the request to the first of the answer: 504. */
  readonly firstByteMs: number;
  /** Without progress of either content, and of a WebSocket. */
  readonly idleMs: number;
  /** An idle connection is kept for this long. */
  readonly keepAliveMs: number;
}

export interface UpstreamTls {
  readonly verifies: boolean;
  /** PEM; null: those that Node.js carries. */
  readonly caFile: string | null;
  /** Checked and sent as SNI; null: the upstream's host. */
  readonly serverName: string | null;
}

export interface ProcessConfig {
  readonly command: string;
  readonly args: readonly string[];
  /** null: the server's. */
  readonly workingDir: string | null;
  /** All that it gets, besides `passEnv`, PORT and HOST. */
  readonly env: Readonly<Record<string, string | Secret>>;
  /** Variables of the server that it gets too. */
  readonly passEnv: readonly string[];
  /** Names or numbers; null: the server's. */
  readonly user: string | null;
  readonly group: string | null;
  /** Copies of it, each with a port of its own. */
  readonly instances: number;
  /** Of the first copy; each further one has the next. Told by PORT. */
  readonly port: number;
  readonly autoRestart: boolean;
  /** Restarts within `restartWindowMs` before it is given up; Infinity: no limit. */
  readonly maxRestarts: number;
  readonly restartWindowMs: number;
  /** Before the first restart; doubles up to `maxBackOffMs`. */
  readonly backOffMs: number;
  readonly maxBackOffMs: number;
  /** Until it is healthy, or accepts connections if there is no health check. */
  readonly startTimeoutMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly stopTimeoutMs: number;
  /** What it prints; null: stderr of the server. */
  readonly logPath: string | null;
}

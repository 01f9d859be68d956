/**
 * What a web server does, as data with every default: made of a file or a command line, checked, and sent to all workers.
 * Sizes in bytes, times in milliseconds; paths of files are absolute.
 */
import type { EngineLimits } from '../../engine/limits.ts';
import type { BackendConfig } from './backend-config.ts';
import type { LoggingConfig } from './log-config.ts';
import type { SecurityConfig } from './security-config.ts';
import type { TlsConfig } from './tls-config.ts';

export interface WebConfig {
  readonly server: ServerConfig;
  /** At least one. */
  readonly listeners: readonly ListenerConfig[];
  /** null: no listener speaks TLS. */
  readonly tls: TlsConfig | null;
  readonly logging: LoggingConfig;
  /** All backends; routes name them. */
  readonly backends: Readonly<Record<string, BackendConfig>>;
  readonly sites: readonly SiteConfig[];
  /** null: no metrics are kept. */
  readonly metrics: MetricsConfig | null;
}

export interface ServerConfig {
  readonly workers: number | 'auto';
  readonly limits: EngineLimits;
  readonly isMaxConnectionsSet: boolean;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly pidFile: string | null;
  /** CIDR: whose X-Forwarded-For and X-Forwarded-Proto are believed. */
  readonly trustedProxies: readonly string[];
  /** Longest request target; a longer one gets 414. */
  readonly maxUriLength: number;
}

export interface ListenerConfig {
  readonly name: string;
  /** null: every address. */
  readonly address: string | null;
  readonly port: number;
  /** Instead of address and port. */
  readonly unixPath: string | null;
  readonly isTls: boolean;
  /** Answers every request with a redirect to this port by https; null: it does not. */
  readonly redirectsToPort: number | null;
}

export interface SiteConfig {
  /** Lower case; `*.example.com` stands for any name below it. */
  readonly hosts: readonly string[];
  /** Answers for hosts that no site has; without such a site they get 421. */
  readonly isDefault: boolean;
  /** Names of listeners; empty: all. */
  readonly listeners: readonly string[];
  /** The first whose path and method match answers. */
  readonly routes: readonly RouteConfig[];
  readonly maintenance: MaintenanceConfig | null;
  /** http to https, and www added or removed, before anything else. */
  readonly redirectsToHttps: boolean;
  readonly www: 'add' | 'remove' | null;
}

export interface RouteConfig {
  /** `/exact`, `/prefix/*` (and `/prefix`), `*.suffix`, `*`. */
  readonly paths: readonly string[];
  /** Empty: any. */
  readonly methods: readonly string[];
  readonly action: RouteAction;
  /** Taken off the beginning of the path, of which the rest stays as it came; null: nothing. Then nothing is rewritten. */
  readonly strip: string | null;
  readonly rewrites: readonly RewriteConfig[];
  readonly headers: HeaderRules;
  readonly requestHeaders: HeaderRules;
  readonly errorPages: readonly ErrorPageConfig[];
  readonly compression: CompressionConfig | null;
  readonly security: SecurityConfig;
  /** Replaces the server's limit; null: the server's. */
  readonly maxBodySize: number | null;
}

export type RouteAction =
  | FilesAction
  | { readonly kind: 'proxy'; readonly backend: string }
  | RedirectAction
  | { readonly kind: 'respond'; readonly status: number; readonly type: string; readonly text: string }
  | { readonly kind: 'internal'; readonly page: InternalPage };

export const INTERNAL_PAGES = ['metrics', 'health', 'ready', 'status'] as const;
export type InternalPage = (typeof INTERNAL_PAGES)[number];

export interface FilesAction {
  readonly kind: 'files';
  readonly root: string;
  /** '' for none. */
  readonly index: string;
  /** In the root; served with 200 to navigation when nothing else matches. */
  readonly fallback: string | null;
  readonly listing: boolean;
  readonly dotfiles: boolean;
  readonly symlinks: boolean;
  readonly precompressed: boolean;
  /** The first whose pattern matches the path of the file gives Cache-Control. */
  readonly cacheControl: readonly CacheRule[];
  /** Bytes kept in memory, by all workers together; 0: none. */
  readonly cacheSize: number;
  /** A file that nobody asked for in this long is dropped from memory. */
  readonly cacheTtlMs: number;
}

export interface CacheRule {
  /** As the paths of routes. */
  readonly paths: readonly string[];
  readonly value: string;
}

/**
 * What `{name}` in a redirect stands for, all of the request: `host` is without a port, `hostport` as the client wrote it, `uri` the
 * path with the query, as in Caddy.
 */
export const REDIRECT_VARIABLES = ['scheme', 'host', 'hostport', 'port', 'path', 'query', 'uri'] as const;
export type RedirectVariable = (typeof REDIRECT_VARIABLES)[number];

export interface RedirectAction {
  readonly kind: 'redirect';
  readonly to: string;
  readonly status: 301 | 302 | 303 | 307 | 308;
}

/** The first that matches the path changes it. */
export interface RewriteConfig {
  /** Source of a regular expression without flags. */
  readonly match: string;
  /** With $1 … $9; a "?" begins a query that replaces the request's. */
  readonly to: string;
}

export interface HeaderRules {
  /** Replace what is there. */
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  /** Lower case. */
  readonly remove: readonly string[];
}

export interface ErrorPageConfig {
  /** Both ends included. */
  readonly from: number;
  readonly to: number;
  readonly file: string;
}

export interface MaintenanceConfig {
  /** On while this file exists; null: on. */
  readonly switchFile: string | null;
  /** Sent with the 503; null: a sentence. */
  readonly page: string | null;
  readonly retryAfterS: number;
  /** CIDR: who is served as usual. */
  readonly allow: readonly string[];
}

export const CODINGS = ['zstd', 'br', 'gzip'] as const;
export type CompressionCoding = (typeof CODINGS)[number];

export interface CompressionConfig {
  /** Answers of upstreams too. */
  readonly proxied: boolean;
  /** In the order of preference, among what the client likes equally. */
  readonly codings: readonly CompressionCoding[];
  readonly minSize: number;
  /** Media types, `text/*` included; empty: those that shrink. */
  readonly types: readonly string[];
  /** Of compressed answers in memory, per worker. */
  readonly cacheSize: number;
}

export interface MetricsConfig {
  /** A listener of its own; null: only where a route says so. */
  readonly address: string | null;
  readonly port: number;
}

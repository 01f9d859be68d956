/** What protects a site or a route, as data. null or empty: off. */
import type { Secret } from './secret.ts';

export interface SecurityConfig {
  readonly rateLimit: RateLimitConfig | null;
  /** CIDR; not empty: nobody else is answered. */
  readonly allow: readonly string[];
  /** CIDR; wins over `allow`. */
  readonly deny: readonly string[];
  readonly basicAuth: BasicAuthConfig | null;
  readonly cors: CorsConfig | null;
  readonly csrf: CsrfConfig | null;
  /** Added to every answer that does not have them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface RateLimitConfig {
  readonly requests: number;
  readonly perMs: number;
  /** Requests at once after a pause. */
  readonly burst: number;
  /** What is counted: the client's address (IPv6 by /64), or the value of a request field. */
  readonly key: 'address' | { readonly header: string };
}

export interface BasicAuthConfig {
  readonly realm: string;
  /** Hashes by name: `$2b$…` (bcrypt) or `$scrypt$…`. */
  readonly users: Readonly<Record<string, Secret>>;
}

export interface CorsConfig {
  /** Origins, or "*" alone. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  /** Request fields that are allowed; empty: those asked for. */
  readonly headers: readonly string[];
  readonly exposed: readonly string[];
  readonly allowsCredentials: boolean;
  readonly maxAgeS: number;
}

export interface CsrfConfig {
  /** Other origins that may send unsafe requests. */
  readonly origins: readonly string[];
}

/**
 * The URL of a request that came in: scheme and authority as the server knows them, the target as it came, in the form
 * that the URL standard serializes. Nearly always these are three strings put together; `URL` is asked only where its
 * answer would be another.
 */
import type { RequestSource } from './source.ts';

/** More hosts than this are not remembered: the Host header is the client's. */
const MAX_HOSTS = 64;

/** A host of which the URL standard's serialization is the host itself: no number at the end, no escapes, lower case. */
const PLAIN_HOST = /^(?:[a-z0-9_-]+\.)*[a-z][a-z0-9_-]*(?::[1-9][0-9]{0,4})?$/;

/** In a path: dot segments, plain or escaped. In a query: `'`, which the URL standard escapes. */
const NEEDS_PARSER = /\/(?:\.|%2e)|'|\/\/|[^!-~]|[\\"<>^`{|}#]/i;

export class Origin {
  readonly #scheme: 'http' | 'https';
  /** Where the request names no host, or one that is none. */
  readonly #fallback: string;
  readonly #known = new Map<string, string>();
  #lastHost: string | null = null;
  #lastOrigin = '';

  /** `authority`: of the server itself, such as `localhost:3000`. */
  constructor(scheme: 'http' | 'https', authority: string) {
    this.#scheme = scheme;
    this.#fallback = new URL(`${scheme}://${authority}`).origin;
  }

  urlOf(source: RequestSource): string {
    const { target } = source;
    const host = source.header('host');
    const origin = host === this.#lastHost && host !== null ? this.#lastOrigin : this.#originOf(host);
    if (target.charCodeAt(0) === 0x2f) return NEEDS_PARSER.test(target) ? serialize(origin, target) : origin + target;
    // Absolute-form (RFC 9112 §3.2.2) wins over Host; `*` (§3.2.4) is about the server as a whole.
    return target === '*' ? `${origin}/` : (URL.parse(target)?.href ?? `${origin}/`);
  }

  #originOf(host: string | null): string {
    if (host === null || host === '') return this.#fallback;
    const known = this.#known.get(host) ?? this.#learn(host);
    this.#lastHost = host;
    this.#lastOrigin = known;
    return known;
  }

  #learn(host: string): string {
    const isPlain = PLAIN_HOST.test(host) && !host.endsWith(this.#scheme === 'http' ? ':80' : ':443');
    const text = `${this.#scheme}://${host}`;
    const origin = isPlain ? text : (URL.parse(text)?.origin ?? this.#fallback);
    if (this.#known.size < MAX_HOSTS) this.#known.set(host, origin);
    return origin;
  }
}

/** The target cannot change the authority: it follows a complete origin, and begins with "/". */
function serialize(origin: string, target: string): string {
  return URL.parse(origin + target)?.href ?? origin + target;
}

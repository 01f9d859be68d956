/**
 * The URL of an incoming request, as the URL standard serializes it. Nearly always that is scheme, host and target put
 * together; `URL` is used only if its result would differ.
 */
import type { RequestSource } from './source.ts';

/** Clients choose the Host header, so the memory for it is bounded. */
const MAX_HOSTS = 64;

/** Hosts that serialize to themselves: lower case, no escapes, no number as the last label. */
const PLAIN_HOST = /^(?:[a-z0-9_-]+\.)*[a-z][a-z0-9_-]*(?::[1-9][0-9]{0,4})?$/;

/** Dot segments, plain or escaped, and characters that the URL standard escapes. */
const NEEDS_PARSER = /\/(?:\.|%2e)|'|\/\/|[^!-~]|[\\"<>^`{|}#]/i;

export class Origin {
  readonly #scheme: 'http' | 'https';
  /** For requests with no valid host. */
  readonly #fallback: string;
  readonly #known = new Map<string, string>();
  #lastHost: string | null = null;
  #lastOrigin = '';

  /** `authority` is the server's own, such as `localhost:3000`. */
  constructor(scheme: 'http' | 'https', authority: string) {
    this.#scheme = scheme;
    this.#fallback = new URL(`${scheme}://${authority}`).origin;
  }

  urlOf(source: Pick<RequestSource, 'target' | 'header'>): string {
    const { target } = source;
    const host = source.header('host');
    const origin = host === this.#lastHost && host !== null ? this.#lastOrigin : this.#originOf(host);
    if (target.charCodeAt(0) === 0x2f) return NEEDS_PARSER.test(target) ? serialize(origin, target) : origin + target;
    // Absolute-form (RFC 9112 §3.2.2) wins over Host; `*` (§3.2.4) means the server as a whole.
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

/** The target begins with "/" and follows a complete origin, so it cannot change the authority. */
function serialize(origin: string, target: string): string {
  return URL.parse(origin + target)?.href ?? origin + target;
}

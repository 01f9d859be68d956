/** How often a client may ask: 429 beyond it, with Retry-After (RFC 6585 §4). */
import { parseAddress } from '../../content/addresses.ts';
import type { Call } from '../../engine/call.ts';
import type { Reply } from '../../http/reply.ts';
import type { AnswerShape } from '../answer-shape.ts';
import type { Clients } from '../client.ts';
import type { RateLimitConfig } from '../config/security-config.ts';
import type { Guard } from '../route.ts';
import { type SharedBuckets, TokenBuckets } from './token-buckets.ts';

export class RateLimitGuard implements Guard {
  readonly #buckets: TokenBuckets;
  readonly #field: string | null;
  readonly #clients: Clients;

  constructor(config: RateLimitConfig, shared: SharedBuckets, clients: Clients) {
    this.#buckets = new TokenBuckets(config, shared);
    this.#field = config.key === 'address' ? null : config.key.header;
    this.#clients = clients;
  }

  check(call: Call, _: boolean, shape: AnswerShape): Reply | null {
    // Who does not send the field is counted by address: to leave it out must not be a way around.
    const key = (this.#field === null ? null : call.header(this.#field)) ?? networkOf(this.#clients.addressOf(call));
    const waitMs = this.#buckets.take(key);
    return waitMs === 0 ? null : shape.error(429, [['Retry-After', String(Math.ceil(waitMs / 1000))]]);
  }
}

/** An IPv6 client has a /64 to choose addresses from. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const words = parseAddress(address);
  return words === null ? address : `${words[0]}:${words[1]}`;
}

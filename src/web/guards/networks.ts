/** Lets clients in by their address (CIDR): those that are denied get 403, and all others if some are allowed. */
import { NetworkList } from '../../content/addresses.ts';
import type { Call } from '../../engine/call.ts';
import type { Reply } from '../../http/reply.ts';
import type { AnswerShape } from '../answer-shape.ts';
import type { Clients } from '../client.ts';
import type { Guard } from '../route.ts';

export class NetworkGuard implements Guard {
  readonly #allow: NetworkList | null;
  readonly #deny: NetworkList;
  readonly #clients: Clients;

  constructor(allow: readonly string[], deny: readonly string[], clients: Clients) {
    this.#allow = allow.length === 0 ? null : new NetworkList(allow);
    this.#deny = new NetworkList(deny);
    this.#clients = clients;
  }

  check(call: Call, _: boolean, shape: AnswerShape): Reply | null {
    const address = this.#clients.addressOf(call);
    const isAllowed = !this.#deny.has(address) && (this.#allow === null || this.#allow.has(address));
    return isAllowed ? null : shape.error(403);
  }
}

/** A call as apps see it: the engine's view of the request, and what the connection can become. */
import type { ForwardedClient, TrustedProxies } from '../content/forwarded.ts';
import type { Address } from '../engine/address.ts';
import { RequestView } from '../engine/request-view.ts';
import type { Fields } from '../http/fields.ts';
import type { Reply } from '../http/reply.ts';
import type { SocketHandlers } from '../websocket/handlers.ts';
import type { AcceptOptions, Call, TakenOverStream } from './app.ts';
import { takeOver } from './taken-over.ts';
import type { Upgrades } from './upgrades.ts';

/** What all calls of a worker share. */
export interface CallHost {
  readonly upgrades: Upgrades;
  readonly proxies: TrustedProxies | null;
}

const NOT_FORWARDED = { proto: null, host: null } as const;

export class AppCall extends RequestView implements Call {
  /** What `server.upgrade` has made. */
  upgrade: Reply | null = null;
  /** Where in the path the `*` of its route begins; 0 without one. */
  restAt = 0;
  readonly #host: CallHost;
  #client: Address | null = null;

  constructor(host: CallHost) {
    super();
    this.#host = host;
  }

  override close(): void {
    super.close();
    this.upgrade = null;
    this.restAt = 0;
    this.#client = null;
  }

  /** The client's address, as trusted proxies report it. */
  override get remote(): Address {
    const { proxies } = this.#host;
    if (proxies === null) return super.remote;
    this.#client ??= clientOf(proxies, super.remote, this);
    return this.#client;
  }

  /** What trusted proxies report. */
  get forwarded(): Pick<ForwardedClient, 'proto' | 'host'> {
    const { proxies } = this.#host;
    return proxies === null ? NOT_FORWARDED : proxies.clientOf(super.remote.address, (name) => this.header(name));
  }

  accept<D>(handlers: SocketHandlers<D>, data: D, options: AcceptOptions = {}): Reply {
    return this.#host.upgrades.accept(this, handlers, data, options);
  }

  takeOver(fields: Fields, use: (stream: TakenOverStream, head: Uint8Array) => void): Reply {
    if (this.version >= '2') throw new TypeError(`a connection of HTTP/${this.version} cannot be taken over`);
    return takeOver(this, fields, use);
  }
}

function clientOf(proxies: TrustedProxies, peer: Address, call: RequestView): Address {
  const { address, port } = proxies.clientOf(peer.address, (name) => call.header(name));
  if (address === peer.address) return peer;
  return { address, port: port ?? 0, family: address.includes(':') ? 'IPv6' : 'IPv4' };
}

/** Who asks: the address and the scheme of the client, behind trusted proxies if there are any. */
import { type ForwardedClient, TrustedProxies } from '../content/forwarded.ts';
import type { Call } from '../engine/call.ts';

export class Clients {
  readonly #trusted: TrustedProxies | null;

  constructor(trustedProxies: readonly string[]) {
    this.#trusted = trustedProxies.length === 0 ? null : new TrustedProxies(trustedProxies);
  }

  addressOf(call: Call): string {
    return this.#trusted === null ? call.remote.address : this.#behind(call, this.#trusted).address;
  }

  /** `isTls`: the connection itself is. */
  isSecure(call: Call, isTls: boolean): boolean {
    if (isTls) return true;
    return this.#trusted !== null && this.#behind(call, this.#trusted).proto === 'https';
  }

  /** Whether fields such as X-Request-ID may be believed. */
  isTrusted(call: Call): boolean {
    return this.#trusted?.isTrusted(call.remote.address) ?? false;
  }

  #behind(call: Call, trusted: TrustedProxies): ForwardedClient {
    return trusted.clientOf(call.remote.address, (name) => call.header(name));
  }
}

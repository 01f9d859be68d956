/** The URL of requests behind trusted proxies: scheme and host are those that the client used. */
import { Origin, type RequestSource } from '../fetch/index.ts';
import type { AppCall } from './app-call.ts';

export class ForwardedOrigin extends Origin {
  readonly #http: Origin;
  readonly #https: Origin;

  /** `authority` is the server's own, as is `scheme`, where no proxy says another. */
  constructor(scheme: 'http' | 'https', authority: string) {
    super(scheme, authority);
    this.#http = new Origin('http', authority);
    this.#https = new Origin('https', authority);
  }

  override urlOf(call: RequestSource): string {
    const { proto, host } = (call as AppCall).forwarded;
    const seen =
      host === null
        ? call
        : { target: call.target, header: (name: string) => (name === 'host' ? host : call.header(name)) };
    if (proto === null) return super.urlOf(seen);
    return (proto === 'https' ? this.#https : this.#http).urlOf(seen);
  }
}

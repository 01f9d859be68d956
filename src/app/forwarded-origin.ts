/** The URL of requests behind trusted proxies: scheme and host are those that the client used. */
import { Origin, type RequestSource } from '../fetch/index.ts';
import type { AppCall } from './app-call.ts';

export class ForwardedOrigin extends Origin {
  readonly #https: Origin;

  /** `authority` is the server's own. */
  constructor(authority: string) {
    super('http', authority);
    this.#https = new Origin('https', authority);
  }

  override urlOf(call: RequestSource): string {
    const { proto, host } = (call as AppCall).forwarded;
    const seen =
      host === null
        ? call
        : { target: call.target, header: (name: string) => (name === 'host' ? host : call.header(name)) };
    return proto === 'https' ? this.#https.urlOf(seen) : super.urlOf(seen);
  }
}

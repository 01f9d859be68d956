/**
 * Refuses requests that other sites make in a user's name (CSRF): by Fetch metadata, which pages cannot forge, and for browsers
 * without it by Origin. Safe methods pass; what no browser has sent, with neither field, passes too.
 */
import type { Call } from '../../engine/call.ts';
import type { Reply } from '../../http/reply.ts';
import type { AnswerShape } from '../answer-shape.ts';
import type { Clients } from '../client.ts';
import type { CsrfConfig } from '../config/security-config.ts';
import { authorityOf } from '../hosts.ts';
import type { Guard } from '../route.ts';

export class ForgeryGuard implements Guard {
  readonly #trusted: ReadonlySet<string>;
  readonly #clients: Clients;

  constructor({ origins }: CsrfConfig, clients: Clients) {
    this.#trusted = new Set(origins);
    this.#clients = clients;
  }

  check(call: Call, isTls: boolean, shape: AnswerShape): Reply | null {
    const { method } = call;
    if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return null;
    const origin = call.header('origin')?.toLowerCase() ?? null;
    if (origin !== null && this.#trusted.has(origin)) return null;
    const site = call.header('sec-fetch-site');
    if (site !== null) return site === 'same-origin' || site === 'none' ? null : shape.error(403);
    if (origin === null) return null;
    const scheme = this.#clients.isSecure(call, isTls) ? 'https' : 'http';
    return origin === `${scheme}://${authorityOf(call).toLowerCase()}` ? null : shape.error(403);
  }
}

/** One site: maintenance, redirects to its right address, then the first route that matches. */
import { statSync } from 'node:fs';
import { NetworkList } from '../content/addresses.ts';
import type { Call } from '../engine/call.ts';
import { reply } from '../http/made-reply.ts';
import type { Reply } from '../http/reply.ts';
import type { AnswerShape } from './answer-shape.ts';
import type { Clients } from './client.ts';
import type { MaintenanceConfig } from './config/web-config.ts';
import { authorityOf, hostOf, portOf } from './hosts.ts';
import { normalPath } from './path-pattern.ts';
import type { Route } from './route.ts';

/** The file that switches maintenance on is looked for once in this time. */
const LOOK_AGAIN_MS = 1000;

/** The listener with TLS. */
export interface SecurePort {
  /** Known once it listens; null: there is none. */
  port: number | null;
}

export interface SiteParts {
  readonly routes: readonly Route[];
  /** Of answers that no route gives. */
  readonly shape: AnswerShape;
  readonly clients: Clients;
  readonly maintenance: Maintenance | null;
  /** Where clients without TLS are sent; null: nowhere. */
  readonly secure: SecurePort | null;
  readonly www: 'add' | 'remove' | null;
}

export class Site {
  readonly #routes: readonly Route[];
  readonly #shape: AnswerShape;
  readonly #clients: Clients;
  readonly #maintenance: Maintenance | null;
  readonly #secure: SecurePort | null;
  readonly #www: 'add' | 'remove' | null;

  constructor(parts: SiteParts) {
    this.#routes = parts.routes;
    this.#shape = parts.shape;
    this.#clients = parts.clients;
    this.#maintenance = parts.maintenance;
    this.#secure = parts.secure;
    this.#www = parts.www;
  }

  /** `isTls`: the request came on a listener with TLS. */
  answer(call: Call, isTls: boolean): Reply | Promise<Reply> {
    if (this.#maintenance?.isFor(call) === true) return this.#maintenance.reply;
    if (this.#secure !== null || this.#www !== null) {
      const redirect = this.#redirect(call, isTls);
      if (redirect !== null) return redirect;
    }
    const raw = call.path;
    if (raw.charCodeAt(0) !== 0x2f) return this.#withoutPath(call);
    const path = normalPath(raw);
    if (path === null) return this.#shape.error(400);
    const { method } = call;
    const routes = this.#routes;
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i] as Route;
      const restAt = route.match(method, path);
      if (restAt >= 0) return route.answer(call, path, restAt, isTls);
    }
    return this.#shape.error(404);
  }

  /** RFC 9110 §9.3.6 and §9.3.7: CONNECT makes tunnels, which are not for a server of sites; `OPTIONS *` is a ping. */
  #withoutPath(call: Call): Reply {
    if (call.method === 'OPTIONS' && call.target === '*') return reply(204, { Allow: 'GET, HEAD, OPTIONS' });
    return this.#shape.error(call.method === 'CONNECT' ? 405 : 400);
  }

  #redirect(call: Call, isTls: boolean): Reply | null {
    const host = hostOf(authorityOf(call));
    const hasWww = host.startsWith('www.');
    const wanted =
      this.#www === 'add' && !hasWww ? `www.${host}` : this.#www === 'remove' && hasWww ? host.slice(4) : host;
    const httpsPort = this.#secure?.port ?? null;
    const isSecure = this.#clients.isSecure(call, isTls);
    if (wanted === host && (isSecure || httpsPort === null)) return null;
    const secure = isSecure || httpsPort !== null;
    const port = secure && !isSecure ? httpsPort : null;
    return redirectTo(call, secure ? 'https' : 'http', wanted, port ?? portOf(authorityOf(call), secure));
  }
}

/** The same target elsewhere; the method is kept (RFC 9110 §15.4.9). */
export function redirectTo(call: Call, scheme: 'http' | 'https', host: string, port: number): Reply {
  // Only a name that is one may become part of a link.
  if (!/^([a-z0-9._~-]+|[0-9a-f:.]*:[0-9a-f:.]*)$/.test(host))
    return reply(400, { 'Content-Type': 'text/plain' }, '400 Bad Request\n');
  const shownHost = host.includes(':') ? `[${host}]` : host;
  const shownPort = port === (scheme === 'https' ? 443 : 80) ? '' : `:${port}`;
  const query = call.query === '' ? '' : `?${call.query}`;
  const { path } = call;
  const location = `${scheme}://${shownHost}${shownPort}${path.startsWith('/') ? path : '/'}${query}`;
  const isSafe = call.method === 'GET' || call.method === 'HEAD';
  return reply(isSafe ? 301 : 308, { Location: location });
}

/** A site that is closed for a while. */
export class Maintenance {
  readonly reply: Reply;
  readonly #switchFile: string | null;
  readonly #allow: NetworkList | null;
  readonly #clients: Clients;
  #isOn = true;
  #lookedAt = 0;

  constructor({ switchFile, allow }: MaintenanceConfig, clients: Clients, made: Reply) {
    this.reply = made;
    this.#switchFile = switchFile;
    this.#allow = allow.length === 0 ? null : new NetworkList(allow);
    this.#clients = clients;
  }

  isFor(call: Call): boolean {
    if (this.#switchFile !== null) this.#look(this.#switchFile);
    if (!this.#isOn) return false;
    return this.#allow === null || !this.#allow.has(this.#clients.addressOf(call));
  }

  #look(file: string): void {
    const now = Date.now();
    if (Math.abs(now - this.#lookedAt) < LOOK_AGAIN_MS) return;
    this.#lookedAt = now;
    this.#isOn = statSync(file, { throwIfNoEntry: false }) !== undefined;
  }
}

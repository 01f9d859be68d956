/** Redirects by a template with variables such as `{host}` and `{uri}`. */
import { redirect } from '../content/redirect.ts';
import type { Call } from '../engine/call.ts';
import { MadeReply } from '../http/made-reply.ts';
import type { Reply } from '../http/reply.ts';
import type { AnswerShape } from './answer-shape.ts';
import type { Clients } from './client.ts';
import {
  REDIRECT_VARIABLES,
  type RedirectAction as RedirectConfig,
  type RedirectVariable,
} from './config/web-config.ts';
import { authorityOf, hostOf, portOf } from './hosts.ts';
import type { Action, Where } from './route.ts';

const VARIABLE = new RegExp(`\\{(${REDIRECT_VARIABLES.join('|')})\\}`);

export class RedirectAction implements Action {
  readonly #status: RedirectConfig['status'];
  readonly #clients: Clients;
  /** Text and names of variables in turn: the odd ones are variables. */
  readonly #parts: readonly string[];
  /** Without variables it is the same for every request. */
  #fixed: Reply | null = null;

  constructor({ to, status }: RedirectConfig, clients: Clients) {
    this.#status = status;
    this.#clients = clients;
    this.#parts = to.split(VARIABLE);
  }

  answer(call: Call, { isTls }: Where, shape: AnswerShape): Reply {
    if (this.#fixed !== null) return this.#fixed;
    let location = '';
    for (const [index, part] of this.#parts.entries()) {
      location += index % 2 === 0 ? part : this.#valueOf(part as RedirectVariable, call, isTls);
    }
    // A path that starts with "//" would lead to another host.
    if (location.startsWith('//')) location = `/${location.replace(/^\/+/, '')}`;
    const { fields } = redirect(location, this.#status);
    let lines = '';
    for (const [name, value] of shape.fieldsOf(fields)) lines += `${name}: ${value}\r\n`;
    const made = new MadeReply(this.#status, lines, '');
    if (this.#parts.length === 1) this.#fixed = made;
    return made;
  }

  close(): void {}

  #valueOf(name: RedirectVariable, call: Call, isTls: boolean): string {
    switch (name) {
      case 'scheme':
        return this.#clients.isSecure(call, isTls) ? 'https' : 'http';
      case 'host': {
        const host = hostOf(authorityOf(call));
        return host.includes(':') ? `[${host}]` : host;
      }
      case 'hostport':
        return authorityOf(call).toLowerCase().replace(/:$/, '');
      case 'port':
        return String(portOf(authorityOf(call), this.#clients.isSecure(call, isTls)));
      case 'path':
        return call.path;
      case 'query':
        return call.query;
      case 'uri':
        return call.query === '' ? call.path : `${call.path}?${call.query}`;
    }
  }
}

/** Redirects by a template with `{host}`, `{path}`, `{query}` and `{uri}`. */
import { redirect } from '../content/redirect.ts';
import type { Call } from '../engine/call.ts';
import { MadeReply } from '../http/made-reply.ts';
import type { Reply } from '../http/reply.ts';
import type { AnswerShape } from './answer-shape.ts';
import type { RedirectAction as RedirectConfig } from './config/web-config.ts';
import { authorityOf, hostOf } from './hosts.ts';
import type { Action, Where } from './route.ts';

export class RedirectAction implements Action {
  readonly #status: RedirectConfig['status'];
  /** Text and names of variables in turn: the odd ones are variables. */
  readonly #parts: readonly string[];
  /** Without variables it is the same for every request. */
  #fixed: Reply | null = null;

  constructor({ to, status }: RedirectConfig) {
    this.#status = status;
    this.#parts = to.split(/\{(host|path|query|uri)\}/);
  }

  answer(call: Call, _: Where, shape: AnswerShape): Reply {
    if (this.#fixed !== null) return this.#fixed;
    let location = '';
    for (const [index, part] of this.#parts.entries()) location += index % 2 === 0 ? part : variableOf(call, part);
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
}

function variableOf(call: Call, name: string): string {
  if (name === 'host') return hostOf(authorityOf(call));
  if (name === 'path') return call.path;
  if (name === 'query') return call.query;
  return call.query === '' ? call.path : `${call.path}?${call.query}`;
}

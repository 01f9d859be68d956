/** The same answer to every request of a route. */
import type { Call } from '../engine/call.ts';
import type { Reply } from '../http/reply.ts';
import type { AnswerShape } from './answer-shape.ts';
import type { RouteAction } from './config/web-config.ts';
import type { Action, Where } from './route.ts';

export class RespondAction implements Action {
  readonly #config: Extract<RouteAction, { kind: 'respond' }>;
  readonly #byShape = new Map<AnswerShape, Reply>();

  constructor(config: Extract<RouteAction, { kind: 'respond' }>) {
    this.#config = config;
  }

  answer(_: Call, __: Where, shape: AnswerShape): Reply {
    let made = this.#byShape.get(shape);
    if (made === undefined) {
      const { status, text, type } = this.#config;
      // Without a text of its own, an error is as all errors of the route.
      if (text === '' && status >= 400) made = shape.error(status);
      else made = shape.prepare(status, text === '' ? [] : [['Content-Type', type]], text);
      this.#byShape.set(shape, made);
    }
    return made;
  }

  close(): void {}
}

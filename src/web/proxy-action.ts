/** Passes requests on to the upstreams of a backend. The proxy belongs to whoever made it: routes share it. */
import type { Call } from '../engine/call.ts';
import type { Reply } from '../http/reply.ts';
import type { ReverseProxy } from '../proxy/reverse-proxy.ts';
import type { AnswerShape } from './answer-shape.ts';
import type { Compressor } from './compressor.ts';
import type { Action, Where } from './route.ts';

export class ProxyAction implements Action {
  readonly #proxy: ReverseProxy;
  readonly #maxContent: number;
  readonly #basePaths: boolean;
  readonly #compressor: Compressor | null;

  constructor(proxy: ReverseProxy, maxContent: number | null, compressor: Compressor | null) {
    this.#compressor = compressor;
    this.#maxContent = maxContent ?? Number.POSITIVE_INFINITY;
    this.#proxy = proxy;
    this.#basePaths = proxy.settings.upstreams.some(({ basePath }) => basePath !== '');
  }

  answer(call: Call, where: Where, shape: AnswerShape): Reply {
    const target = where.isRewritten ? this.#targetOf(where) : null;
    const coding = this.#compressor?.coderFor(call) ?? null;
    return this.#proxy.handle(call, where.isTls ? 'https' : 'http', target, shape, this.#maxContent, coding);
  }

  close(): void {}

  #targetOf({ rawPath, query }: Where): string {
    const base = this.#basePaths ? (this.#proxy.settings.upstreams[0]?.basePath ?? '') : '';
    return query === '' ? `${base}${rawPath}` : `${base}${rawPath}?${query}`;
  }
}

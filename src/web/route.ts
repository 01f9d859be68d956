/** One route: which requests are its own, what they must pass, and what answers them. */
import type { Call } from '../engine/call.ts';
import type { Reply } from '../http/reply.ts';
import type { AnswerShape } from './answer-shape.ts';
import { hasDotSegments, matchAny, type PathPattern } from './path-pattern.ts';

/** Answers, or null: this route has nothing for the request (404). */
export interface Action {
  answer(call: Call, at: Where, shape: AnswerShape): Reply | null | Promise<Reply | null>;
  close(): void;
}

/** Where in a site a request is. One object per route, filled anew for each request: valid until the action has returned. */
export interface Where {
  /** As patterns see it; rewritten if the route says so. */
  path: string;
  /** Undecoded, as it came or as it was rewritten. */
  rawPath: string;
  query: string;
  /** The part of `rawPath` that the route stands for, without a slash at its end. */
  prefix: string;
  isTls: boolean;
  /** `rawPath` and `query` are not those of the request. */
  isRewritten: boolean;
}

/** Refuses, answers itself, or lets a request pass: null. */
export interface Guard {
  check(call: Call, isTls: boolean, shape: AnswerShape): Reply | null | Promise<Reply | null>;
}

/** Which of its shapes a route answers a request with. */
export type ChooseShape = (call: Call) => AnswerShape;

export interface Rewrite {
  readonly match: RegExp;
  readonly to: string;
}

export interface RouteParts {
  readonly patterns: readonly PathPattern[];
  readonly methods: readonly string[];
  readonly guards: readonly Guard[];
  readonly strip: string | null;
  readonly rewrites: readonly Rewrite[];
  readonly action: Action;
  readonly shape: AnswerShape;
  /** null: always `shape`. */
  readonly chooseShape: ChooseShape | null;
  /** The same for requests that come over TLS. */
  readonly secureShape: AnswerShape;
  readonly chooseSecureShape: ChooseShape | null;
  /** Of content; null: the server's limit. */
  readonly maxBodySize: number | null;
}

export class Route {
  readonly #patterns: readonly PathPattern[];
  readonly #methods: ReadonlySet<string> | null;
  readonly #guards: readonly Guard[];
  readonly #strip: string | null;
  readonly #rewrites: readonly Rewrite[];
  readonly #action: Action;
  readonly #shape: AnswerShape;
  readonly #chooseShape: ChooseShape | null;
  readonly #secureShape: AnswerShape;
  readonly #chooseSecureShape: ChooseShape | null;
  readonly #maxBodySize: number | null;
  readonly #where: Where = { path: '', rawPath: '', query: '', prefix: '', isTls: false, isRewritten: false };

  constructor(parts: RouteParts) {
    this.#patterns = parts.patterns;
    this.#methods = parts.methods.length === 0 ? null : new Set(parts.methods);
    this.#guards = parts.guards;
    this.#strip = parts.strip;
    this.#rewrites = parts.rewrites;
    this.#action = parts.action;
    this.#shape = parts.shape;
    this.#chooseShape = parts.chooseShape;
    this.#secureShape = parts.secureShape;
    this.#chooseSecureShape = parts.chooseSecureShape;
    this.#maxBodySize = parts.maxBodySize;
  }

  /** As `PathPattern.match`. */
  match(method: string, path: string): number {
    if (this.#methods !== null && !this.#methods.has(method) && !(method === 'HEAD' && this.#methods.has('GET')))
      return -1;
    return matchAny(this.#patterns, path);
  }

  answer(call: Call, path: string, restAt: number, isTls: boolean): Reply | Promise<Reply> {
    const choose = isTls ? this.#chooseSecureShape : this.#chooseShape;
    const shape = choose !== null ? choose(call) : isTls ? this.#secureShape : this.#shape;
    if (this.#maxBodySize !== null && (call.body.length ?? 0) > this.#maxBodySize) return shape.error(413);
    const guards = this.#guards;
    for (let i = 0; i < guards.length; i++) {
      const refused = (guards[i] as Guard).check(call, isTls, shape);
      if (refused instanceof Promise) return this.#waitForGuard(refused, i + 1, call, path, restAt, isTls, shape);
      if (refused !== null) return refused;
    }
    return this.#act(call, path, restAt, isTls, shape);
  }

  close(): void {
    this.#action.close();
  }

  async #waitForGuard(
    first: Promise<Reply | null>,
    next: number,
    call: Call,
    path: string,
    restAt: number,
    isTls: boolean,
    shape: AnswerShape,
  ): Promise<Reply> {
    let refused = await first;
    for (let i = next; refused === null && i < this.#guards.length; i++) {
      refused = await (this.#guards[i] as Guard).check(call, isTls, shape);
    }
    return refused ?? this.#act(call, path, restAt, isTls, shape);
  }

  #act(call: Call, path: string, restAt: number, isTls: boolean, shape: AnswerShape): Reply | Promise<Reply> {
    const where = this.#where;
    const rawPath = call.path;
    where.path = path;
    where.rawPath = rawPath;
    where.query = call.query;
    // An escape or a merged slash in the prefix moves it; then the path as patterns see it is served.
    const isPlain = restAt === 0 || rawPath.slice(0, restAt) === path.slice(0, restAt);
    if (!isPlain) where.rawPath = encodePath(path);
    where.prefix = path.slice(0, restAt);
    where.isTls = isTls;
    where.isRewritten = false;
    if (this.#strip !== null && takeOff(where, this.#strip)) where.isRewritten = true;
    else if (this.#rewrites.length > 0) this.#rewrite(where);
    const answered = this.#action.answer(call, where, shape);
    if (answered instanceof Promise) return this.#settle(answered, shape);
    return answered ?? shape.error(404);
  }

  async #settle(answered: Promise<Reply | null>, shape: AnswerShape): Promise<Reply> {
    return (await answered) ?? shape.error(404);
  }

  #rewrite(where: Where): void {
    for (const { match, to } of this.#rewrites) {
      if (!match.test(where.path)) continue;
      const target = where.path.replace(match, to);
      const mark = target.indexOf('?');
      where.path = mark < 0 ? target : target.slice(0, mark);
      if (mark >= 0) where.query = target.slice(mark + 1);
      if (!where.path.startsWith('/')) where.path = `/${where.path}`;
      where.rawPath = encodePath(where.path);
      where.prefix = '';
      where.isRewritten = true;
      return;
    }
  }
}

/** Returns whether the path begins with `prefix`. What follows stays as the client wrote it, unless that leads elsewhere. */
function takeOff(where: Where, prefix: string): boolean {
  const { path, rawPath } = where;
  if (!isBelow(path, prefix)) return false;
  where.path = path.slice(prefix.length) || '/';
  const isAsWritten = isBelow(rawPath, prefix) && !hasDotSegments(rawPath);
  where.rawPath = isAsWritten ? rawPath.slice(prefix.length) || '/' : encodePath(where.path);
  where.prefix = '';
  return true;
}

function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 0x2f);
}

/** A decoded path as a URL has it (RFC 3986 §3.3). */
export function encodePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/]+/g, (text) => encodeURIComponent(text.toWellFormed()));
}

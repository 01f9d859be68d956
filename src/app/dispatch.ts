/** From an app to the engine's handler: routes, handle, fetch, in this order; what `error` makes of failures; 404. */
import { ContentError } from '../content/content-error.ts';
import type { Call as EngineCall, Handler as EngineHandler } from '../engine/call.ts';
import { installGlobals, LazyRequest, type Origin } from '../fetch/index.ts';
import { Answer, textAnswer } from '../http/answer.ts';
import { reply } from '../http/made-reply.ts';
import { Reply } from '../http/reply.ts';
import { reasonPhrase } from '../http/status.ts';
import { didYouMean } from '../rules/nearest.ts';
import { isObject, shown } from '../rules/shape.ts';
import type { App, Awaitable, FetchRoute, Route, RouteTarget, Server } from './app.ts';
import type { AppCall } from './app-call.ts';
import { replyOf } from './response-reply.ts';
import { Routes } from './routes.ts';

/** One way to answer; undefined: the next one is asked. */
type Stage = (call: AppCall) => Awaitable<Reply | Response | undefined>;
/** What a path leads to: the stage of any method, or one for each. */
type Target = Stage | MethodTable;

interface MethodTable {
  readonly byMethod: ReadonlyMap<string, Stage>;
  readonly notAllowed: Answer;
  readonly options: Answer;
}

const TARGET = 'a function, a reply or an object with fetch';
const ROUTE = `${TARGET}, or an object that has these by method`;

/** Of IANA's registry, and those of Node beside it. Any other is for `handle`. */
const METHODS: ReadonlySet<string> = new Set(
  `ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL
   MKREDIRECTREF MKWORKSPACE MOVE NOTIFY OPTIONS ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE
   SUBSCRIBE TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UNSUBSCRIBE UPDATE UPDATEREDIRECTREF VERSION-CONTROL`.split(/\s+/),
);

const NOT_FOUND = textAnswer('404 Not Found\n', 404);
const BAD_PATH = textAnswer('400 Bad Request: the path cannot be decoded\n', 400);

/** Of an app that `checkedApp` has passed. Throws a TypeError or RangeError for routes that cannot work. */
export function makeHandler<S>(app: App<S>, server: Server<S>, origin: Origin): EngineHandler {
  const stages: Stage[] = [];
  const fetchStage = (route: FetchRoute<S>): Stage => makeFetchStage(route, server, origin);
  if (app.routes !== undefined) stages.push(routeStage(app.routes as Record<string, Route<S>>, fetchStage));
  if (app.handle !== undefined) stages.push(app.handle.bind(app) as Stage);
  if (app.fetch !== undefined) stages.push(fetchStage(app as FetchRoute<S>));
  return new Dispatcher(stages, app as App).handle as EngineHandler;
}

class Dispatcher {
  readonly #stages: readonly Stage[];
  readonly #app: App;

  constructor(stages: readonly Stage[], app: App) {
    this.#stages = stages;
    this.#app = app;
  }

  readonly handle = (engineCall: EngineCall): Reply | Promise<Reply> => {
    const call = engineCall as AppCall;
    try {
      return this.#ask(call, 0);
    } catch (error) {
      if (this.#app.error === undefined) return answerTo(error);
      return this.#recover(call, error);
    }
  };

  #ask(call: AppCall, from: number): Reply | Promise<Reply> {
    const stages = this.#stages;
    for (let at = from; at < stages.length; at++) {
      const result = (stages[at] as Stage)(call);
      if (result instanceof Reply) return result;
      if (result === undefined) continue;
      if (isPromise(result)) return this.#wait(call, result, at + 1);
      return replyOf(result, call.method === 'HEAD');
    }
    return NOT_FOUND;
  }

  async #wait(call: AppCall, promise: PromiseLike<Reply | Response | undefined>, next: number): Promise<Reply> {
    try {
      const result = await promise;
      if (call.upgrade !== null) return call.upgrade;
      if (result instanceof Reply) return result;
      if (result === undefined) return this.#ask(call, next);
      return replyOf(result, call.method === 'HEAD');
    } catch (error) {
      if (this.#app.error === undefined) return answerTo(error);
      return this.#recover(call, error);
    }
  }

  async #recover(call: AppCall, error: unknown): Promise<Reply> {
    const answer = await this.#app.error?.(error, call);
    if (answer === undefined) return answerTo(error);
    return answer instanceof Reply ? answer : replyOf(answer, call.method === 'HEAD');
  }
}

/** What a request with bad content gets; any other error is the engine's to answer and report. */
function answerTo(error: unknown): Reply {
  if (!(error instanceof ContentError)) throw error;
  const { status, message, fields } = error;
  const text = `${status} ${reasonPhrase(status)}: ${message}\n`;
  return reply(status, { 'Content-Type': 'text/plain; charset=utf-8', ...fields }, text);
}

function makeFetchStage<S>(route: FetchRoute<S>, server: Server<S>, origin: Origin): Stage {
  // Programs make their responses with the global classes; ours cost a twentieth.
  installGlobals();
  return (call) => {
    call.isLent = true;
    const request = new LazyRequest(call, origin);
    const response = route.fetch(request as never, server);
    return isPromise(response) ? response : (call.upgrade ?? response);
  };
}

function routeStage<S>(routes: Readonly<Record<string, Route<S>>>, fetchStage: (route: FetchRoute<S>) => Stage): Stage {
  const table = new Routes<Target>();
  for (const [path, route] of Object.entries(routes)) table.add(path, targetOf(path, route, fetchStage));
  return (call) => {
    const match = table.find(call.path);
    if (match === null) return undefined;
    if (match.kind === 'malformed') return BAD_PATH;
    if (match.params !== null) {
      call.params = match.params;
      call.restAt = match.restAt;
    }
    const { target } = match;
    return typeof target === 'function' ? target(call) : askMethod(target, call);
  };
}

function askMethod(table: MethodTable, call: AppCall): Awaitable<Reply | Response | undefined> {
  const { method } = call;
  const stage = table.byMethod.get(method) ?? (method === 'HEAD' ? table.byMethod.get('GET') : undefined);
  if (stage !== undefined) return stage(call);
  return method === 'OPTIONS' ? table.options : table.notAllowed;
}

function targetOf<S>(path: string, route: Route<S>, fetchStage: (route: FetchRoute<S>) => Stage): Target {
  const single = stageOf(route, fetchStage);
  if (single !== null) return single;
  const name = `routes[${JSON.stringify(path)}]`;
  const isTable = isObject(route) && Object.getPrototypeOf(Object.getPrototypeOf(route) ?? null) === null;
  if (!isTable || Object.keys(route).length === 0) throw new TypeError(`${name} must be ${ROUTE}, got ${shown(route)}`);
  const byMethod = new Map<string, Stage>();
  for (const [method, target] of Object.entries(route as Record<string, RouteTarget<S>>)) {
    if (target === undefined) continue;
    if (!METHODS.has(method)) {
      const hint = didYouMean(method.toUpperCase(), [...METHODS]);
      throw new TypeError(`the methods of ${name} must be known ones in capital letters, got ${shown(method)}${hint}`);
    }
    const stage = stageOf(target, fetchStage);
    if (stage === null) throw new TypeError(`${name}.${method} must be ${TARGET}, got ${shown(target)}`);
    byMethod.set(method, stage);
  }
  const methods = [...byMethod.keys()];
  if (byMethod.has('GET') && !byMethod.has('HEAD')) methods.push('HEAD');
  if (!byMethod.has('OPTIONS')) methods.push('OPTIONS');
  const fields = { Allow: methods.join(', ') };
  const text = { ...fields, 'Content-Type': 'text/plain' };
  return { byMethod, notAllowed: new Answer(405, text, '405 Method Not Allowed\n'), options: new Answer(204, fields) };
}

/** Null for a table by method. */
function stageOf<S>(target: Route<S>, fetchStage: (route: FetchRoute<S>) => Stage): Stage | null {
  if (typeof target === 'function') return target as Stage;
  if (target instanceof Reply) return () => target;
  if (typeof target !== 'object' || target === null) return null;
  return typeof (target as FetchRoute<S>).fetch === 'function' ? fetchStage(target as FetchRoute<S>) : null;
}

function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

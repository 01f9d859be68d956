/** Apps and options as programs give them: checked before anything starts, and those of frameworks as they are. */
import {
  BOOLEAN,
  checkShape,
  checkValue,
  either,
  FUNCTION,
  isObject,
  listOf,
  OBJECT,
  oneOf,
  type Shape,
  shown,
  TEXT,
  type ValueRule,
  wholeNumber,
} from '../rules/shape.ts';
import { resolveSettings } from '../websocket/options.ts';
import type { App, Limits, Options } from './app.ts';
import { TLS_CERTIFICATE_SHAPE, TLS_SHAPE } from './check-tls.ts';

/** The tables and these types have the same names. */
type RulesOf<T> = { readonly [Name in keyof T]-?: ValueRule };

const APP_RULES: RulesOf<App> = {
  routes: OBJECT,
  handle: FUNCTION,
  fetch: FUNCTION,
  websocket: OBJECT,
  start: FUNCTION,
  stop: FUNCTION,
  error: FUNCTION,
  done: FUNCTION,
};

const MAX_PORT = 65_535;
const MAX_WORKERS = 1024;

const OPTION_RULES: RulesOf<Options> = {
  port: wholeNumber(0, MAX_PORT),
  hostname: TEXT,
  unix: TEXT,
  listen: either(OBJECT, { words: 'a list of them', holds: Array.isArray }),
  tls: OBJECT,
  http2: BOOLEAN,
  http3: BOOLEAN,
  workers: either(wholeNumber(0, MAX_WORKERS), oneOf('auto')),
  isolation: oneOf('thread', 'process'),
  entry: { words: 'a path or URL', holds: (value) => TEXT.holds(value) || value instanceof URL },
  limits: OBJECT,
  idleTimeout: wholeNumber(0),
  maxRequestBodySize: wholeNumber(0),
  trustProxy: either(oneOf(false, 'loopback'), {
    words: 'a list of addresses and networks',
    holds: (value) => TEXT.holds(value) || listOf(TEXT, '').holds(value),
  }),
  signal: {
    words: 'an AbortSignal',
    holds: (value) => isObject(value) && 'aborted' in value && 'addEventListener' in value,
  },
  handleSignals: BOOLEAN,
  drainMs: wholeNumber(0),
};

/** What programs for Bun and Node say instead. */
const OTHERS: Shape['others'] = {
  host: 'use hostname',
  path: 'use unix',
  cert: 'use tls.cert',
  key: 'use tls.key',
  certFile: 'use tls.certFile',
  keyFile: 'use tls.keyFile',
  static: 'use routes',
};

/**
 * Options of Bun that frameworks set without being asked, and that do not change what a client gets; and what modules for Cloudflare
 * export beside `fetch`, which nothing here would call.
 */
const IGNORED: ReadonlySet<string> = new Set([
  ...['development', 'id', 'inspector', 'lowMemoryMode', 'reusePort'],
  ...['alarm', 'email', 'queue', 'scheduled', 'tail', 'trace'],
]);

const APP_SHAPE: Shape = { rules: { ...APP_RULES, ...OPTION_RULES }, others: OTHERS, ignored: IGNORED };
const OPTIONS_SHAPE: Shape = { rules: OPTION_RULES, others: OTHERS, ignored: IGNORED };

/** Infinity is no limit, as 0 is of times. */
const LIMIT = either(wholeNumber(0), oneOf(Number.POSITIVE_INFINITY));
const LIMITS_SHAPE: Shape = {
  rules: {
    maxRequestLine: LIMIT,
    maxHeaderSize: LIMIT,
    maxHeaderCount: LIMIT,
    maxBodySize: LIMIT,
    maxDropped: LIMIT,
    maxConnections: LIMIT,
    maxRequests: LIMIT,
    idleMs: LIMIT,
    headerMs: LIMIT,
    bodyMs: LIMIT,
    requestMs: LIMIT,
    handlerMs: LIMIT,
    sendMs: LIMIT,
  } satisfies RulesOf<Limits>,
};

const LISTEN_SHAPE: Shape = {
  rules: {
    port: OPTION_RULES.port,
    hostname: TEXT,
    unix: TEXT,
    descriptor: wholeNumber(0, 2 ** 31),
    protocol: OBJECT,
    datagrams: OBJECT,
  },
  others: { host: 'use hostname', path: 'use unix', fd: 'use descriptor' },
};
const PROTOCOL_SHAPE: Shape = {
  rules: {
    open: FUNCTION,
    data: FUNCTION,
    end: FUNCTION,
    drain: FUNCTION,
    timeout: FUNCTION,
    stop: FUNCTION,
    close: FUNCTION,
    maxBuffered: LIMIT,
  },
};
const DATAGRAMS_SHAPE: Shape = { rules: { message: FUNCTION } };

/**
 * An app with its options, as `serve()` gets it. Throws a TypeError or RangeError that names what is wrong. An object whose `routes` are a
 * list is an application of a framework (Hono, Elysia, itty-router): its `fetch` answers, whatever else its class has.
 */
export function checkedApp<S>(given: App<S> & Options): App<S> & Options {
  if (!isObject(given)) {
    throw new TypeError(`an app must be an object with at least one of routes, handle and fetch, got ${shown(given)}`);
  }
  const app = isFrameworks(given) ? ofFramework<S>(given) : given;
  checkShape(app, '', APP_SHAPE);
  if ([app.routes, app.handle, app.fetch].every((one) => one === undefined)) {
    throw new TypeError('an app must have at least one of routes, handle and fetch');
  }
  if (app.websocket !== undefined) resolveSettings(app.websocket);
  return app;
}

/** The options in an app, if there are any. */
export function optionsIn<S>(app: App<S> & Options): Options {
  const names = Object.keys(OPTION_RULES) as (keyof Options)[];
  return Object.fromEntries(names.filter((name) => app[name] !== undefined).map((name) => [name, app[name]]));
}

/** Options alone. */
export function checkOptions(given: Options): void {
  if (!isObject(given)) throw new TypeError(`options must be an object, got ${shown(given)}`);
  checkShape(given, '', OPTIONS_SHAPE);
}

/** Inside of options that are objects of their own. */
export function checkInside({ limits, listen, tls }: Options): void {
  if (limits !== undefined) checkShape(limits, 'limits.', LIMITS_SHAPE);
  if (tls !== undefined) checkTls(tls);
  if (listen === undefined) return;
  const isList = Array.isArray(listen);
  for (const [index, target] of (isList ? listen : [listen]).entries()) {
    const name = isList ? `listen[${index}]` : 'listen';
    checkValue(target ?? null, name, OBJECT);
    checkTarget(target, `${name}.`);
  }
}

function checkTarget(target: object, path: string): void {
  checkShape(target, path, LISTEN_SHAPE);
  const { port, unix, descriptor, protocol, datagrams } = target as Readonly<Record<string, unknown>>;
  const places = Object.entries({ port, unix, descriptor }).filter(([, value]) => value !== undefined);
  if (places.length !== 1) {
    const got = places.length === 0 ? 'none of them' : places.map(([name]) => name).join(' and ');
    throw new TypeError(`${path.slice(0, -1)} must have one of port, unix and descriptor, got ${got}`);
  }
  if (protocol !== undefined) {
    checkShape(protocol as object, `${path}protocol.`, PROTOCOL_SHAPE);
    checkValue((protocol as { data?: unknown }).data ?? null, `${path}protocol.data`, FUNCTION);
  }
  if (datagrams === undefined) return;
  for (const [name, value] of Object.entries({ unix, descriptor, protocol })) {
    if (value !== undefined) throw new TypeError(`${path}datagrams and ${path}${name} must not be given together`);
  }
  checkShape(datagrams as object, `${path}datagrams.`, DATAGRAMS_SHAPE);
  checkValue((datagrams as { message?: unknown }).message ?? null, `${path}datagrams.message`, FUNCTION);
}

function checkTls(tls: object): void {
  checkShape(tls, 'tls.', TLS_SHAPE);
  const { certificates = [] } = tls as { certificates?: readonly object[] };
  for (const [index, one] of certificates.entries()) {
    checkValue(one ?? null, `tls.certificates[${index}]`, OBJECT);
    checkShape(one, `tls.certificates[${index}].`, TLS_CERTIFICATE_SHAPE);
  }
}

/** What adapters for Bun pass where there is no TLS, and Bun takes for none. Anything less is more likely a variable that is not set. */
export function isBunsNoTls(tls: object): boolean {
  if (Object.keys(tls).sort().join() !== 'cert,key,passphrase') return false;
  return Object.values(tls).every((value) => value === undefined);
}

function isFrameworks(given: object): given is { fetch: NonNullable<App['fetch']>; websocket?: unknown } {
  const { routes, fetch } = given as { routes?: unknown; fetch?: unknown };
  return Array.isArray(routes) && typeof fetch === 'function';
}

/** What its class has under our names means something else: Elysia's `handle`, `stop` and `listen`, for instance. What was added to a copy does not. */
function ofFramework<S>(given: { fetch: NonNullable<App['fetch']> }): App<S> & Options {
  const names = new Set([...Object.keys(OPTION_RULES), 'websocket']);
  const added = Object.entries(given).filter(([name, value]) => names.has(name) && typeof value !== 'function');
  return { ...Object.fromEntries(added), fetch: (request, server) => given.fetch(request, server as never) };
}

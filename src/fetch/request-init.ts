/** The members of RequestInit, converted and checked (Fetch standard §5.4, steps 10 to 26 of the constructor). */
import { baseUrl, parseUrl } from './base-url.ts';
import { toByteString } from './field-syntax.ts';

type Modes = globalThis.Request;

/** Options for a client's fetch. Incoming requests have the defaults. */
export interface RequestModes {
  mode: Modes['mode'];
  credentials: Modes['credentials'];
  cache: Modes['cache'];
  redirect: Modes['redirect'];
  referrer: string;
  referrerPolicy: Modes['referrerPolicy'];
  integrity: string;
  keepalive: boolean;
}

export const DEFAULT_MODES: Readonly<RequestModes> = Object.freeze({
  mode: 'cors',
  credentials: 'same-origin',
  cache: 'default',
  redirect: 'follow',
  referrer: 'about:client',
  referrerPolicy: '',
  integrity: '',
  keepalive: false,
});

const VALUES: Readonly<Record<string, readonly string[]>> = {
  mode: ['same-origin', 'no-cors', 'cors', 'navigate'],
  credentials: ['omit', 'same-origin', 'include'],
  cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'],
  redirect: ['follow', 'error', 'manual'],
  referrerPolicy: [
    '',
    'no-referrer',
    'no-referrer-when-downgrade',
    'same-origin',
    'origin',
    'strict-origin',
    'origin-when-cross-origin',
    'strict-origin-when-cross-origin',
    'unsafe-url',
  ],
  duplex: ['half'],
  priority: ['high', 'low', 'auto'],
};

const STANDARD_METHODS = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);
const FORBIDDEN_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK']);

/** `before` with the changes of `init`. */
export function toModes(before: Readonly<RequestModes>, init: RequestInit): Readonly<RequestModes> {
  const { mode, credentials, cache, redirect, referrer, referrerPolicy, integrity, keepalive } = init;
  if ((init as { window?: unknown }).window !== undefined && (init as { window?: unknown }).window !== null) {
    throw new TypeError('window must be null');
  }
  oneOf('duplex', init.duplex);
  oneOf('priority', (init as { priority?: unknown }).priority);
  const modes: RequestModes = {
    // With options it is no longer a navigation (step 13).
    mode: oneOf('mode', mode) ?? (before.mode === 'navigate' ? 'same-origin' : before.mode),
    credentials: oneOf('credentials', credentials) ?? before.credentials,
    cache: oneOf('cache', cache) ?? before.cache,
    redirect: oneOf('redirect', redirect) ?? before.redirect,
    referrer: referrer === undefined ? 'about:client' : toReferrer(`${referrer}`),
    referrerPolicy: oneOf('referrerPolicy', referrerPolicy) ?? '',
    integrity: integrity === undefined ? before.integrity : `${integrity}`,
    keepalive: keepalive === undefined ? before.keepalive : Boolean(keepalive),
  };
  if (mode === 'navigate') throw new TypeError('mode must not be "navigate"');
  if (modes.cache === 'only-if-cached' && modes.mode !== 'same-origin') {
    throw new TypeError('cache can be "only-if-cached" only where mode is "same-origin"');
  }
  return modes;
}

export function toMethod(value: unknown): string {
  const method = toByteString(value, 'method');
  if (STANDARD_METHODS.has(method)) return method;
  const upper = method.toUpperCase();
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method) || FORBIDDEN_METHODS.has(upper)) {
    throw new TypeError(`method must be a token, and not CONNECT, TRACE or TRACK, got ${JSON.stringify(method)}`);
  }
  return STANDARD_METHODS.has(upper) ? upper : method;
}

export function toSignal(value: unknown): AbortSignal | null {
  if (value === null) return null;
  if (value instanceof AbortSignal) return value;
  throw new TypeError(`signal must be an AbortSignal or null, got ${typeof value}`);
}

function toReferrer(value: string): string {
  if (value === '') return '';
  const url = parseUrl(value);
  if (url.protocol === 'about:' && url.pathname === 'client') return 'about:client';
  const base = baseUrl();
  return base !== undefined && new URL(base).origin !== url.origin ? 'about:client' : url.href;
}

function oneOf<T>(name: string, value: T): T {
  if (value === undefined) return value;
  const text = `${value}`;
  if (VALUES[name]?.includes(text) === true) return text as T;
  throw new TypeError(`${name} must be one of ${VALUES[name]?.join(', ')}, got ${JSON.stringify(text)}`);
}

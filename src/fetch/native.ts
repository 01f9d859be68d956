/**
 * Node's own Request, Response and Headers: how they are found, and made to accept ours in `instanceof`.
 *
 * Neither kind inherits from the other: undici would mistake ours for its own and fail on its private fields, and the web
 * platform's interface tests forbid it. `Symbol.hasInstance` on both sides does the job.
 *
 * Merely reading one of these globals loads undici: 92 modules, 17 MiB. Assigning to it does not. So if undici is not
 * loaded, they are replaced unread; nobody can hold one then, and `fetch`, the only thing left that makes instances of
 * them, reveals the classes with its first response.
 */
import { isPlainInstance } from './webidl.ts';

export type Replaced = 'Headers' | 'Request' | 'Response';
type Class = abstract new (...values: never[]) => object;

const UNDICI = 'NativeModule internal/deps/undici/undici';

const classes: Partial<Record<Replaced, Class>> = {};
const ours: Partial<Record<Replaced, object>> = {};
/** Node's fetch, once the globals are replaced; null before. */
let nodesFetch: typeof globalThis.fetch | null = null;

/** Makes instances of `target` instances of Node's class too. */
export function acceptOurs(name: Replaced, target: object): void {
  ours[name] = target;
}

/** Whether `value` is one of Node's own. Loads nothing unless its `Symbol.toStringTag` says so. */
export function isNative(name: Replaced, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if ((value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] !== name) return false;
  if (nodesFetch === null) learnGlobal(name);
  const known = classes[name];
  return known !== undefined && isPlainInstance(known, value);
}

/** Makes the globals, which must still be Node's, accept ours. Loads undici. */
export function learnGlobals(): void {
  for (const name of ['Headers', 'Request', 'Response'] as const) learnGlobal(name);
}

/** Must be called before the globals are replaced. Returns Node's fetch. */
export function rememberGlobals(): typeof globalThis.fetch {
  const { moduleLoadList } = process as { moduleLoadList?: readonly string[] };
  if (moduleLoadList === undefined || moduleLoadList.includes(UNDICI)) learnGlobals();
  nodesFetch = globalThis.fetch;
  return nodesFetch;
}

/** A response of Node's fetch reveals its class and that of its headers. */
export function learnFrom(response: globalThis.Response): void {
  if (classes.Response === undefined) learn('Response', response.constructor as unknown as Class);
  if (classes.Headers === undefined) learn('Headers', response.headers.constructor as unknown as Class);
}

/** Node's Response, which parses forms and uncommon MIME types. */
export async function nativeResponse(): Promise<typeof globalThis.Response> {
  if (nodesFetch === null) learnGlobal('Response');
  else if (classes.Response === undefined) learnFrom(await nodesFetch('data:,'));
  return classes.Response as unknown as typeof globalThis.Response;
}

function learnGlobal(name: Replaced): void {
  if (classes[name] === undefined) learn(name, globalThis[name] as unknown as Class);
}

function learn(name: Replaced, target: Class): void {
  classes[name] = target;
  Object.defineProperty(target, Symbol.hasInstance, {
    configurable: true,
    writable: true,
    value(this: unknown, value: unknown): boolean {
      return isPlainInstance(this, value) || (this === target && isPlainInstance(ours[name], value));
    },
  });
}

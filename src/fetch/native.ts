/**
 * Node's own Request, Response and Headers: told to accept ours in `instanceof`, found without loading them.
 *
 * Neither kind is in the prototype chain of the other: undici would take ours for its own and fail on its private fields,
 * and the web platform's interface tests forbid it. `Symbol.hasInstance` on both sides does it.
 *
 * Node loads undici (92 modules, 17 MiB) when somebody so much as looks at one of these globals; an assignment does not.
 * So they are replaced unseen where undici is not loaded. Nobody has them then, and they come to light again with the
 * first answer of `fetch`, the only thing left that makes them.
 */
import { isPlainInstance } from './webidl.ts';

export type Replaced = 'Headers' | 'Request' | 'Response';
type Class = abstract new (...values: never[]) => object;

const UNDICI = 'NativeModule internal/deps/undici/undici';

const classes: Partial<Record<Replaced, Class>> = {};
const ours: Partial<Record<Replaced, object>> = {};
/** Node's fetch, after ours has taken the place of the global; null until then. */
let nodesFetch: typeof globalThis.fetch | null = null;

/** The instances of `target` are to be instances of Node's class, too. */
export function acceptOurs(name: Replaced, target: object): void {
  ours[name] = target;
}

/** Is `value` one of Node's own? Loads nothing for values that do not say that they are. */
export function isNative(name: Replaced, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if ((value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] !== name) return false;
  if (nodesFetch === null) learnGlobal(name);
  const known = classes[name];
  return known !== undefined && isPlainInstance(known, value);
}

/** The globals, which must still be Node's, accept ours from now on. Loads undici. */
export function learnGlobals(): void {
  for (const name of ['Headers', 'Request', 'Response'] as const) learnGlobal(name);
}

/** To be called before the globals are replaced: the last time that they can be had. Returns Node's fetch. */
export function rememberGlobals(): typeof globalThis.fetch {
  const { moduleLoadList } = process as { moduleLoadList?: readonly string[] };
  if (moduleLoadList === undefined || moduleLoadList.includes(UNDICI)) learnGlobals();
  nodesFetch = globalThis.fetch;
  return nodesFetch;
}

/** An answer of Node's fetch shows its class and that of its headers. */
export function learnFrom(response: globalThis.Response): void {
  if (classes.Response === undefined) learn('Response', response.constructor as unknown as Class);
  if (classes.Headers === undefined) learn('Headers', response.headers.constructor as unknown as Class);
}

/** Node's Response, for what is done by it: forms and uncommon MIME types. */
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

/** `Headers`: over a list, or over a request whose fields are read on demand. */
import { lowerName, normalizeValue } from './field-syntax.ts';
import {
  appendField,
  deleteField,
  fillList,
  getField,
  type HeaderList,
  hasField,
  STRIDE,
  setCookies,
  setField,
  sortAndCombine,
} from './header-list.ts';
import { acceptOurs, isNative } from './native.ts';
import { isNoCorsSafelisted } from './no-cors.ts';
import type { RequestSource } from './source.ts';
import { asInterface, INSPECT, type Inspect, isPlainInstance, needArguments } from './webidl.ts';

/**
 * What may be changed (Fetch standard §5.1). The standard also forbids names such as Cookie and Set-Cookie, to protect the
 * user of a browser from a page. A server needs them, so they are allowed here as in Node, Deno and Bun.
 */
export type HeadersGuard = 'none' | 'request-no-cors' | 'immutable';

export let makeHeaders: (list: HeaderList, guard: HeadersGuard) => Headers;
export let makeSourceHeaders: (source: RequestSource) => Headers;
/** The list behind our Headers, not a copy; null for anything else. */
export let listOf: (value: unknown) => HeaderList | null;
let pairsOf: (headers: Headers) => [name: string, value: string][];

export class Headers {
  #list: HeaderList | null = null;
  /** Until the fields are changed or iterated, they are read from here. */
  #source: RequestSource | null = null;
  #guard: HeadersGuard = 'none';
  /** What iteration sees; null until asked for, and after a change. */
  #sorted: [name: string, value: string][] | null = null;

  static {
    makeHeaders = (list, guard) => {
      const headers = new Headers();
      headers.#list = list;
      headers.#guard = guard;
      return headers;
    };
    makeSourceHeaders = (source) => {
      const headers = new Headers();
      headers.#source = source;
      return headers;
    };
    listOf = (value) => (typeof value === 'object' && value !== null && #list in value ? value.#fields() : null);
    pairsOf = (headers) => {
      headers.#sorted ??= sortAndCombine(headers.#fields());
      return headers.#sorted;
    };
  }

  constructor(init: unknown = undefined) {
    if (init !== undefined) this.#list = copyFields(init);
  }

  append(name: string, value: string): void {
    needArguments(arguments.length, 2, 'Headers.append');
    const list = this.#fields();
    const text = typeof name === 'string' ? name : `${name}`;
    const normal = normalizeValue(typeof value === 'string' ? value : `${value}`);
    const lower = lowerName(text);
    if (this.#guard !== 'none' && this.#isKept(lower, joined(getField(list, lower), normal))) return;
    list.push(lower, text, normal);
    this.#changed();
  }

  delete(name: string): void {
    needArguments(arguments.length, 1, 'Headers.delete');
    const lower = lowerName(typeof name === 'string' ? name : `${name}`);
    const list = this.#fields();
    if (this.#guard !== 'none' && this.#isKept(lower, '')) return;
    deleteField(list, lower);
    this.#changed();
  }

  get(name: string): string | null {
    if (arguments.length === 0) needArguments(0, 1, 'Headers.get');
    const lower = lowerName(typeof name === 'string' ? name : `${name}`);
    if (this.#source !== null) return this.#source.header(lower);
    return this.#list === null ? null : getField(this.#list, lower);
  }

  getSetCookie(): string[] {
    return setCookies(this.#fields());
  }

  has(name: string): boolean {
    if (arguments.length === 0) needArguments(0, 1, 'Headers.has');
    const lower = lowerName(typeof name === 'string' ? name : `${name}`);
    if (this.#source !== null) return this.#source.header(lower) !== null;
    return this.#list !== null && hasField(this.#list, lower);
  }

  set(name: string, value: string): void {
    needArguments(arguments.length, 2, 'Headers.set');
    const list = this.#fields();
    const text = typeof name === 'string' ? name : `${name}`;
    const normal = normalizeValue(typeof value === 'string' ? value : `${value}`);
    const lower = lowerName(text);
    if (this.#guard !== 'none' && this.#isKept(lower, normal)) return;
    setField(list, lower, text, normal);
    this.#changed();
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, thisArgument: unknown = undefined): void {
    const self = this.#self();
    needArguments(arguments.length, 1, 'Headers.forEach');
    if (typeof callback !== 'function') {
      throw new TypeError(`The callback of Headers.forEach must be a function, got ${typeof callback}`);
    }
    for (let index = 0; index < pairsOf(self).length; index++) {
      const [name, value] = pairsOf(self)[index] as [string, string];
      callback.call(thisArgument, value, name, self);
    }
  }

  declare [Symbol.iterator]: () => HeadersIterator<[name: string, value: string]>;

  entries(): HeadersIterator<[name: string, value: string]> {
    return new HeadersIterator(this.#self(), 'entries');
  }

  keys(): HeadersIterator<string> {
    return new HeadersIterator(this.#self(), 'keys');
  }

  values(): HeadersIterator<string> {
    return new HeadersIterator(this.#self(), 'values');
  }

  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    return `Headers ${inspect(Object.fromEntries(pairsOf(this)), { ...options, depth })}`;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    return isPlainInstance(this, value) || (this === Headers && isNative('Headers', value));
  }

  /** Throws for a receiver of another kind. */
  #self(): this {
    if (!(#list in this)) throw new TypeError('Illegal invocation');
    return this;
  }

  #fields(): HeaderList {
    if (this.#list !== null) return this.#list;
    this.#list = [];
    if (this.#source !== null) {
      // The parser has validated them.
      for (const [name, value] of this.#source.fields()) this.#list.push(name.toLowerCase(), name, value);
      this.#source = null;
    }
    return this.#list;
  }

  #changed(): void {
    this.#sorted = null;
  }

  /** Throws if nothing may be changed; true if this field may not be. */
  #isKept(lower: string, value: string): boolean {
    if (this.#guard === 'immutable') throw new TypeError('These headers cannot be changed');
    return this.#guard === 'request-no-cors' && !isNoCorsSafelisted(lower, value);
  }
}

/** WebIDL's default iterator object: each step looks at the headers as they are then. */
export class HeadersIterator<Item> implements IterableIterator<Item> {
  readonly #headers: Headers;
  readonly #kind: 'entries' | 'keys' | 'values';
  #index = 0;

  constructor(headers: Headers, kind: 'entries' | 'keys' | 'values') {
    this.#headers = headers;
    this.#kind = kind;
  }

  next(): IteratorResult<Item, undefined> {
    const pair = pairsOf(this.#headers)[this.#index];
    if (pair === undefined) return { value: undefined, done: true };
    this.#index++;
    const kind = this.#kind;
    const value = kind === 'keys' ? pair[0] : kind === 'values' ? pair[1] : [pair[0], pair[1]];
    return { value: value as Item, done: false };
  }

  declare [Symbol.iterator]: () => this;
}

// It inherits `Symbol.iterator` from `%IteratorPrototype%`, and has no constructor.
Object.setPrototypeOf(HeadersIterator.prototype, Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())));
Reflect.deleteProperty(HeadersIterator.prototype, 'constructor');
asInterface(HeadersIterator, 'Headers Iterator', ['next']);

const entries = Headers.prototype.entries;
Object.defineProperty(Headers.prototype, Symbol.iterator, { value: entries, writable: true, configurable: true });
asInterface(Headers, 'Headers', [
  'append',
  'delete',
  'get',
  'getSetCookie',
  'has',
  'set',
  'forEach',
  'entries',
  'keys',
  'values',
]);
acceptOurs('Headers', Headers);

/** A new list from anything that `new Headers()` accepts. From our own Headers, case and order are kept. */
export function copyFields(init: unknown): HeaderList {
  const list = listOf(init);
  if (list !== null && (init as { [Symbol.iterator]: unknown })[Symbol.iterator] === entries) return list.slice();
  const filled: HeaderList = [];
  fillList(filled, init);
  return filled;
}

/** Sets Content-Type unless it is there. */
export function addDefaultType(list: HeaderList, type: string): void {
  if (!hasField(list, 'content-type')) appendField(list, 'Content-Type', type);
}

/** Name and value of each field. */
export function* fieldPairs(list: HeaderList): Generator<[name: string, value: string]> {
  for (let at = 0; at < list.length; at += STRIDE) yield [list[at + 1] as string, list[at + 2] as string];
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`;
}

/** What objects that programs give must look like: names that are known, values that keep their rules. */
import { nearest } from './nearest.ts';

/** For one value. */
export interface ValueRule {
  /** Completes "name must be …". */
  readonly words: string;
  readonly holds: (value: unknown) => boolean;
  /** The value must not be shown. */
  readonly isSecret?: boolean;
}

export interface Shape {
  /** By name. */
  readonly rules: Readonly<Record<string, ValueRule>>;
  /** Names that others use for what has another name here, or is not there at all: what to say of them. */
  readonly others?: Readonly<Record<string, string>>;
  /** Names that are let pass and mean nothing here. */
  readonly ignored?: ReadonlySet<string>;
}

/**
 * Throws a TypeError or RangeError that names the value, its rule and what it is. `path` stands before each name, such as `tls.`. Objects
 * of a class may have whatever else they like.
 */
export function checkShape(given: object, path: string, shape: Shape): void {
  if (isPlain(given)) checkNames(given as Readonly<Record<string, unknown>>, path, shape);
  for (const [name, rule] of Object.entries(shape.rules)) {
    checkValue((given as Readonly<Record<string, unknown>>)[name], `${path}${name}`, rule);
  }
}

/** undefined counts as not given. */
export function checkValue(value: unknown, name: string, { words, holds, isSecret = false }: ValueRule): void {
  if (value === undefined || holds(value)) return;
  const Fault = typeof value === 'number' || typeof value === 'string' ? RangeError : TypeError;
  throw new Fault(`${name} must be ${words}, got ${isSecret ? `another ${typeof value}` : shown(value)}`);
}

/** A value in a message. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string': {
      const text = JSON.stringify(value);
      return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
    }
    case 'function':
      return 'a function';
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return 'a list';
      return isPlain(value) ? 'an object' : `an object of the class ${value.constructor?.name ?? 'null'}`;
    case 'bigint':
      return `${value}n`;
    default:
      return String(value);
  }
}

const MOST_SHOWN = 80;

/** Written as `{ … }`. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Of another realm, too.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function checkNames(given: Readonly<Record<string, unknown>>, path: string, shape: Shape): void {
  const { rules, others = {}, ignored } = shape;
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || Object.hasOwn(rules, name) || ignored?.has(name) === true) continue;
    const names = Object.keys(rules);
    const meant = nearest(name, names);
    const fallback = meant === undefined ? `there are ${names.join(', ')}` : `did you mean ${path}${meant}?`;
    const hint = Object.hasOwn(others, name) ? others[name] : fallback;
    throw new TypeError(`${path}${name} is not an option, got ${shown(value)}; ${hint}`);
  }
}

export const FUNCTION: ValueRule = { words: 'a function', holds: (value) => typeof value === 'function' };
export const BOOLEAN: ValueRule = { words: 'true or false', holds: (value) => typeof value === 'boolean' };
export const OBJECT: ValueRule = { words: 'an object', holds: isObject };
export const TEXT: ValueRule = {
  words: 'a string that is not empty',
  holds: (value) => typeof value === 'string' && value !== '',
};

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): ValueRule {
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
  return {
    words: `a whole number ${range}`,
    holds: (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
  };
}

export function oneOf(...values: readonly unknown[]): ValueRule {
  return { words: inWords(values.map(shown)), holds: (value) => values.includes(value) };
}

export function listOf(rule: ValueRule, words: string): ValueRule {
  return { words, holds: (value) => Array.isArray(value) && value.every((one) => rule.holds(one)) };
}

export function either(...rules: readonly ValueRule[]): ValueRule {
  return { words: inWords(rules.map((rule) => rule.words)), holds: (value) => rules.some((rule) => rule.holds(value)) };
}

/** `a, b or c`. */
function inWords(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

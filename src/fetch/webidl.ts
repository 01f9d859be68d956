/**
 * What WebIDL requires beyond what a class provides: enumerable members, a `Symbol.toStringTag`, checked argument counts.
 */

/** The key of `util.inspect.custom`. Importing node:util would load 34 modules. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom');
export type Inspect = (value: unknown, options: object) => string;

/** Makes the members enumerable and sets `Symbol.toStringTag`. */
export function asInterface(
  target: { readonly prototype: object },
  name: string,
  members: readonly string[],
  statics: readonly string[] = [],
): void {
  for (const member of members) Object.defineProperty(target.prototype, member, { enumerable: true });
  for (const member of statics) Object.defineProperty(target, member, { enumerable: true });
  Object.defineProperty(target.prototype, Symbol.toStringTag, { value: name, configurable: true });
}

export function needArguments(given: number, needed: number, what: string): void {
  if (given >= needed) return;
  throw new TypeError(`${what} must have ${needed} argument${needed === 1 ? '' : 's'}, got ${given}`);
}

/** A dictionary argument: an object, or null for nothing. */
export function toDictionary(value: unknown, what: string): object | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'object' || typeof value === 'function') return value;
  throw new TypeError(`${what} must be an object, got ${typeof value}`);
}

/** `instanceof` without `Symbol.hasInstance` of the class. */
export function isPlainInstance(target: unknown, value: unknown): boolean {
  return Function.prototype[Symbol.hasInstance].call(target, value);
}

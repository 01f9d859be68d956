/**
 * What WebIDL asks of an interface and a class does not give by itself: members that can be enumerated, a name for
 * `Object.prototype.toString`, a count of arguments.
 */

/** How Node's `console.log` asks an object for its text; `node:util` itself would load 34 modules. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom');
export type Inspect = (value: unknown, options: object) => string;

/** Marks the members as enumerable, and gives the prototype its `Symbol.toStringTag`. */
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

/** `given` is the count of arguments of the call. */
export function needArguments(given: number, needed: number, what: string): void {
  if (given >= needed) return;
  throw new TypeError(`${what} must have ${needed} argument${needed === 1 ? '' : 's'}, got ${given}`);
}

/** A dictionary argument: an object, or nothing. */
export function toDictionary(value: unknown, what: string): object | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'object' || typeof value === 'function') return value;
  throw new TypeError(`${what} must be an object, got ${typeof value}`);
}

/** `instanceof` without `Symbol.hasInstance` of the class. */
export function isPlainInstance(target: unknown, value: unknown): boolean {
  return Function.prototype[Symbol.hasInstance].call(target, value);
}

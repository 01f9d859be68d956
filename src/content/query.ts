/** Query parameters and urlencoded forms, decoded like URLSearchParams (URL standard §5.1). */
import { Buffer } from 'node:buffer';

/** Names and values in order. Names may repeat; both may be empty. */
export class Parameters implements Iterable<readonly [name: string, value: string]> {
  readonly #names: readonly string[];
  readonly #values: readonly string[];

  constructor(names: readonly string[], values: readonly string[]) {
    this.#names = names;
    this.#values = values;
  }

  get size(): number {
    return this.#names.length;
  }

  /** The first value with this name, or null. */
  get(name: string): string | null {
    const at = this.#names.indexOf(name);
    return at < 0 ? null : (this.#values[at] as string);
  }

  getAll(name: string): string[] {
    return this.#values.filter((_value, at) => this.#names[at] === name);
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  *[Symbol.iterator](): IterableIterator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.#names.length; i++) yield [this.#names[i] as string, this.#values[i] as string];
  }
}

/** Parses a query without its "?". Never fails: broken escapes are kept, and invalid UTF-8 becomes U+FFFD. */
export function parseQuery(query: string): Parameters {
  return parsePairs(query, Number.POSITIVE_INFINITY) as Parameters;
}

/** The first value of one parameter, or null. Does not decode the values of others. */
export function queryValue(query: string, name: string): string | null {
  let at = 0;
  while (at <= query.length) {
    const end = endOfPair(query, at);
    const equals = query.indexOf('=', at);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    if (end > at && decode(query.slice(at, nameEnd)) === name) return decode(query.slice(nameEnd + 1, end));
    at = end + 1;
  }
  return null;
}

/** Returns null if there are more than `maxCount` pairs. */
export function parsePairs(text: string, maxCount: number): Parameters | null {
  const names: string[] = [];
  const values: string[] = [];
  let at = 0;
  while (at <= text.length) {
    const end = endOfPair(text, at);
    if (end > at) {
      if (names.length === maxCount) return null;
      const equals = text.indexOf('=', at);
      const nameEnd = equals < 0 || equals > end ? end : equals;
      names.push(decode(text.slice(at, nameEnd)));
      values.push(decode(text.slice(nameEnd + 1, end)));
    }
    at = end + 1;
  }
  return new Parameters(names, values);
}

function endOfPair(text: string, at: number): number {
  const end = text.indexOf('&', at);
  return end < 0 ? text.length : end;
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  return spaced.includes('%') ? percentDecode(spaced) : spaced;
}

/** Keeps broken escapes; invalid UTF-8 becomes U+FFFD. */
export function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return decodeLeniently(text);
  }
}

function decodeLeniently(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    const value = byte === 0x25 && i + 2 < bytes.length ? hexPair(bytes[i + 1] as number, bytes[i + 2] as number) : -1;
    bytes[length++] = value < 0 ? byte : value;
    if (value >= 0) i += 2;
  }
  return bytes.toString('utf8', 0, length);
}

function hexPair(high: number, low: number): number {
  const highValue = hexDigit(high);
  const lowValue = hexDigit(low);
  return highValue < 0 || lowValue < 0 ? -1 : highValue * 16 + lowValue;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

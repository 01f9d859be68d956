/** Header fields from an application, in several forms, checked before they reach the wire. */
import { shown } from '../rules/shape.ts';
import { FIELD_VALUE, TOKEN } from './byte-classes.ts';

/** Names with one or several values, or pairs in order. */
export type Fields =
  | Readonly<Record<string, string | readonly string[]>>
  | Iterable<readonly [name: string, value: string]>;

/**
 * Fields that frame a message (RFC 9112 §6) or belong to the connection (RFC 9110 §7.6.1), in lower case: the server writes them as
 * they are true, and a second one would contradict the first.
 */
export const MADE_BY_SERVER: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A name that programs use, with the last value it had: most programs give a field the same value in every answer. */
interface KnownField {
  value: string;
  line: string;
}

/** Bounded, so that names and values that are computed from data do not fill the memory. */
const knownFields = new Map<string, KnownField>();
const MAX_KNOWN = 512;
const MAX_KNOWN_VALUE = 128;

/** Every field as a line with its CR LF. Throws a RangeError for anything that would be invalid on the wire. */
export function renderFields(fields: Fields): string {
  let lines = '';
  if (typeof fields !== 'object' || fields === null) {
    throw new TypeError(`fields must be an object or pairs of name and value, got ${shown(fields)}`);
  }
  if (Symbol.iterator in fields) {
    for (const [name, value] of fields as Iterable<readonly [string, string]>) lines += fieldLine(name, value);
    return lines;
  }
  // An eighth of the time that Object.entries takes.
  for (const name in fields) {
    if (!Object.hasOwn(fields, name)) continue;
    const value = fields[name] as string | readonly string[];
    if (typeof value === 'string') lines += fieldLine(name, value);
    else if (Array.isArray(value)) for (const one of value) lines += fieldLine(name, one);
    else throw new TypeError(`the value of ${name} must be a string or a list of them, got ${shown(value)}`);
  }
  return lines;
}

function fieldLine(name: string, value: string): string {
  const known = knownFields.get(name);
  if (known !== undefined && known.value === value) return known.line;
  checkField(name, value);
  const line = `${name}: ${value}\r\n`;
  if (value.length > MAX_KNOWN_VALUE) return line;
  if (known !== undefined) {
    known.value = value;
    known.line = line;
  } else if (knownFields.size < MAX_KNOWN) {
    knownFields.set(name, { value, line });
  }
  return line;
}

/** Throws a RangeError that names the field, the rule and the value. */
export function checkField(name: string, value: string): void {
  if (name === '' || !consistsOf(TOKEN, name)) {
    throw new RangeError(`a field name must be a token (RFC 9110 §5.6.2), got ${JSON.stringify(name)}`);
  }
  if (MADE_BY_SERVER.has(name.toLowerCase())) throw new RangeError(`${name} must not be given: the server makes it`);
  if (!consistsOf(FIELD_VALUE, value)) {
    throw new RangeError(`the value of ${name} must not hold control characters, got ${JSON.stringify(value)}`);
  }
}

export function pairsOf(fields: Fields): Iterable<readonly [name: string, value: string]> {
  return Symbol.iterator in fields ? (fields as Iterable<readonly [string, string]>) : pairsOfRecord(fields);
}

function* pairsOfRecord(
  fields: Readonly<Record<string, string | readonly string[]>>,
): Generator<readonly [name: string, value: string]> {
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') yield [name, value];
    else for (const one of value) yield [name, one];
  }
}

/** Whether every character is a byte of the class. */
export function consistsOf(table: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255 || table[code] !== 1) return false;
  }
  return true;
}

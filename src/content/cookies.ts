/** Cookies (RFC 6265bis): parses Cookie, writes Set-Cookie. */
import { isToken, trimOws } from './field-syntax.ts';
import { formatHttpDate } from './http-date.ts';
import { percentDecode } from './query.ts';

/** User agents cap a cookie's lifetime at 400 days (RFC 6265bis §5.5). */
const MAX_AGE_SECONDS = 400 * 24 * 60 * 60;
/** What user agents accept (RFC 6265bis §5.6, §5.7): name and value together, and each attribute. */
const MAX_PAIR_LENGTH = 4096;
const MAX_ATTRIBUTE_LENGTH = 1024;

/**
 * The cookies of a request by name. The first of two with the same name wins: user agents send longer paths first (RFC 6265bis
 * §5.8.3). Strips quotes around a value and decodes the escapes that `setCookie` writes; leaves broken escapes alone. Ignores
 * pairs without a name.
 */
export function parseCookies(header: string | null): Map<string, string> {
  const cookies = new Map<string, string>();
  if (header === null) return cookies;
  let at = 0;
  while (at < header.length) {
    const semicolon = header.indexOf(';', at);
    const end = semicolon < 0 ? header.length : semicolon;
    const equals = header.indexOf('=', at);
    if (equals >= 0 && equals < end) {
      const name = trimOws(header.slice(at, equals));
      if (name !== '' && !cookies.has(name)) cookies.set(name, cookieValue(trimOws(header.slice(equals + 1, end))));
    }
    at = end + 1;
  }
  return cookies;
}

export interface CookieAttributes {
  /** A host name; its subdomains get the cookie too. Default: this host alone. */
  readonly domain?: string;
  /** Must start with "/". Default: the folder of the request's path. */
  readonly path?: string;
  /** Default: with the browser's session. */
  readonly expires?: Date;
  /** In whole seconds, capped at 400 days; 0 or less deletes the cookie. Wins over `expires`. Default: none. */
  readonly maxAge?: number;
  /** Sent over TLS only, or to localhost. Default: false. */
  readonly secure?: boolean;
  /** Hidden from scripts. Default: false. */
  readonly httpOnly?: boolean;
  /** Default: what the browser takes for it, mostly Lax. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None';
  /** A separate cookie for each top-level site (CHIPS). Default: false. */
  readonly partitioned?: boolean;
}

/**
 * The value of a Set-Cookie field. Percent-encodes the characters of `value` that a cookie cannot hold. Throws a RangeError for
 * anything that user agents would drop or read differently.
 */
export function setCookie(name: string, value: string, attributes: CookieAttributes = {}): string {
  if (!isToken(name)) throw new RangeError(`the name of a cookie must be a token, got ${JSON.stringify(name)}`);
  checkTogether(name, attributes);
  const encoded = encodeValue(value);
  const length = name.length + encoded.length;
  if (length > MAX_PAIR_LENGTH) {
    throw new RangeError(`cookie ${name} must take at most ${MAX_PAIR_LENGTH} bytes, got ${length}`);
  }
  let text = `${name}=${encoded}`;
  const { domain, path, expires, maxAge } = attributes;
  if (domain !== undefined) text += `; Domain=${checkedDomain(domain)}`;
  if (path !== undefined) text += `; Path=${checkedPath(path)}`;
  if (expires !== undefined) text += `; Expires=${checkedDate(expires)}`;
  if (maxAge !== undefined) text += `; Max-Age=${checkedAge(maxAge)}`;
  if (attributes.secure === true) text += '; Secure';
  if (attributes.httpOnly === true) text += '; HttpOnly';
  if (attributes.sameSite !== undefined) text += `; SameSite=${attributes.sameSite}`;
  if (attributes.partitioned === true) text += '; Partitioned';
  return text;
}

/** A Set-Cookie value that deletes a cookie. Domain and path must be the ones it was set with. */
export function deleteCookie(name: string, attributes: CookieAttributes = {}): string {
  return setCookie(name, '', { ...attributes, expires: new Date(0), maxAge: 0 });
}

function cookieValue(text: string): string {
  const isQuoted = text.length >= 2 && text.startsWith('"') && text.endsWith('"');
  const inner = isQuoted ? text.slice(1, -1) : text;
  return inner.includes('%') ? percentDecode(inner) : inner;
}

/** Rules between attributes and for name prefixes (RFC 6265bis §4.1.3, §5.7). User agents match prefixes in any case. */
function checkTogether(name: string, attributes: CookieAttributes): void {
  const { sameSite } = attributes;
  const lowerName = name.toLowerCase();
  const isHost = lowerName.startsWith('__host-');
  const isHttp = lowerName.startsWith('__http-') || lowerName.startsWith('__host-http-');
  const needsSecure = isHost || isHttp || lowerName.startsWith('__secure-');
  if (sameSite !== undefined && sameSite !== 'Strict' && sameSite !== 'Lax' && sameSite !== 'None') {
    throw new RangeError(`sameSite must be Strict, Lax or None, got ${JSON.stringify(sameSite)}`);
  }
  if (attributes.secure !== true) {
    if (needsSecure) throw new RangeError(`cookie ${name} must be secure, as its prefix says`);
    if (sameSite === 'None') throw new RangeError(`cookie ${name} must be secure to have sameSite None`);
    if (attributes.partitioned === true) throw new RangeError(`cookie ${name} must be secure to be partitioned`);
  }
  if (isHttp && attributes.httpOnly !== true)
    throw new RangeError(`cookie ${name} must be httpOnly, as its prefix says`);
  if (isHost && (attributes.path !== '/' || attributes.domain !== undefined)) {
    throw new RangeError(`cookie ${name} must have the path "/" and no domain, as its prefix says`);
  }
}

/** cookie-octet (RFC 6265bis §4.1.1) without "%": %x21, %x23-2B, %x2D-3A, %x3C-5B, %x5D-7E. */
const NOT_COOKIE_OCTETS = /[^\x21\x23\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+/g;

const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

function encodeValue(value: string): string {
  return value.replace(NOT_COOKIE_OCTETS, (text) => encodeURIComponent(text.toWellFormed()));
}

function checkedDomain(domain: string): string {
  const labels = (domain.startsWith('.') ? domain.slice(1) : domain).split('.');
  if (domain.length > 254 || !labels.every((label) => LABEL.test(label))) {
    throw new RangeError(`domain must be a host name, got ${JSON.stringify(domain)}`);
  }
  return domain;
}

function checkedPath(path: string): string {
  if (!/^\/[\x20-\x3a\x3c-\x7e]*$/.test(path) || path.length > MAX_ATTRIBUTE_LENGTH) {
    throw new RangeError(`path must start with "/", without ";" and control characters, got ${JSON.stringify(path)}`);
  }
  return path;
}

function checkedDate(date: Date): string {
  const year = date.getUTCFullYear();
  // User agents reject years before 1601, and the format has four digits (RFC 6265bis §5.1.1).
  if (!(year >= 1601 && year <= 9999)) throw new RangeError(`expires must be a date from 1601 to 9999, got ${date}`);
  return formatHttpDate(date.getTime());
}

function checkedAge(seconds: number): number {
  if (!Number.isInteger(seconds)) throw new RangeError(`maxAge must be a whole number of seconds, got ${seconds}`);
  return Math.min(Math.max(seconds, 0), MAX_AGE_SECONDS);
}

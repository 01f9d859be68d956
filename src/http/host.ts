/** The syntax of hosts and targets (RFC 3986 §3.2, RFC 9110 §4.2 and §7.2, RFC 9112 §3.2), as functions over bytes. */
import {
  AT,
  CLOSE_BRACKET,
  COLON,
  DOT,
  equalsIgnoringCase,
  HEX_VALUE,
  IP_FUTURE,
  isDigit,
  OPEN_BRACKET,
  PATH,
  PERCENT,
  QUERY,
  QUESTION,
  REG_NAME,
  SCHEME,
  SLASH,
} from './byte-classes.ts';

const MAX_PORT = 65535;

/**
 * Where the host of bytes[start, end) ends ("host" or "host:port"), or -1 if the whole is not `uri-host [ ":" port ]`.
 * An empty host is refused: RFC 9110 §4.2.1 forbids it in http URIs, the only ones that are served here.
 */
export function endOfHost(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  if (bytes[i] === OPEN_BRACKET) {
    const close = bytes.indexOf(CLOSE_BRACKET, i);
    if (close < 0 || close >= end || !isIpLiteral(bytes, i + 1, close)) return -1;
    i = close + 1;
  } else {
    while (i < end && bytes[i] !== COLON) {
      if (bytes[i] === PERCENT) {
        if (!isEscape(bytes, i, end)) return -1;
        i += 3;
      } else if (REG_NAME[bytes[i] as number] === 1) i++;
      else return -1;
    }
    if (i === start) return -1;
  }
  return i === end || isPort(bytes, i, end) ? i : -1;
}

/** ":" *DIGIT, at most the largest TCP port. */
function isPort(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== COLON) return false;
  let port = 0;
  for (let i = start + 1; i < end; i++) {
    const byte = bytes[i] as number;
    if (!isDigit(byte)) return false;
    port = port * 10 + byte - 0x30;
    if (port > MAX_PORT) return false;
  }
  return true;
}

function isEscape(bytes: Uint8Array, at: number, end: number): boolean {
  return (
    at + 2 < end &&
    (HEX_VALUE[bytes[at + 1] as number] as number) >= 0 &&
    (HEX_VALUE[bytes[at + 2] as number] as number) >= 0
  );
}

function isIpLiteral(bytes: Uint8Array, start: number, end: number): boolean {
  if (((bytes[start] as number) | 0x20) !== 0x76) return isIPv6(bytes, start, end);
  // IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
  let i = start + 1;
  while (i < end && (HEX_VALUE[bytes[i] as number] as number) >= 0) i++;
  if (i === start + 1 || i >= end || bytes[i] !== DOT) return false;
  const tail = ++i;
  while (i < end && IP_FUTURE[bytes[i] as number] === 1) i++;
  return i === end && i > tail;
}

/** IPv6address of RFC 3986 §3.2.2: eight groups of 1 to 4 hexadecimal digits; one "::" stands for one or more of them, and IPv4 may be the last two. */
function isIPv6(bytes: Uint8Array, start: number, end: number): boolean {
  let groups = 0;
  let hasGap = false;
  let i = start;
  if (bytes[i] === COLON) {
    if (bytes[i + 1] !== COLON) return false;
    hasGap = true;
    i += 2;
  }
  while (i < end) {
    const group = i;
    while (i < end && (HEX_VALUE[bytes[i] as number] as number) >= 0) i++;
    if (i < end && bytes[i] === DOT) {
      if (!isIPv4(bytes, group, end)) return false;
      groups += 2;
      break;
    }
    if (i === group || i - group > 4) return false;
    groups++;
    if (i === end) break;
    if (bytes[i] !== COLON || i + 1 === end) return false;
    i++;
    if (bytes[i] === COLON) {
      if (hasGap) return false;
      hasGap = true;
      i++;
    }
  }
  return hasGap ? groups <= 7 : groups === 8;
}

/** Four decimal numbers without leading zeros. */
function isIPv4(bytes: Uint8Array, start: number, end: number): boolean {
  let i = start;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && bytes[i++] !== DOT) return false;
    const first = i;
    let value = 0;
    while (i < end && isDigit(bytes[i] as number) && i - first < 3) value = value * 10 + (bytes[i++] as number) - 0x30;
    if (i === first || value > 255 || (bytes[first] === 0x30 && i - first > 1)) return false;
  }
  return i === end;
}

/** authority-form (RFC 9112 §3.2.3): host and port, both required. */
export function isAuthorityForm(bytes: Uint8Array, start: number, end: number): boolean {
  const host = endOfHost(bytes, start, end);
  return host >= 0 && end - host > 1;
}

/** Where an authority is, and the port that its scheme implies. */
export interface Authority {
  readonly start: number;
  readonly end: number;
  readonly defaultPort: string;
}

/**
 * The authority of bytes[start, end) as absolute-URI with the scheme "http" or "https", or null if it is not one.
 * User information is refused, as RFC 9110 §4.2.4 advises.
 */
export function authorityOfAbsoluteForm(bytes: Uint8Array, start: number, end: number): Authority | null {
  let i = start;
  let defaultPort: string;
  while (i < end && SCHEME[bytes[i] as number] === 1) i++;
  if (equalsIgnoringCase(bytes, start, i, 'http')) defaultPort = '80';
  else if (equalsIgnoringCase(bytes, start, i, 'https')) defaultPort = '443';
  else return null;
  if (i + 3 > end || bytes[i] !== COLON || bytes[i + 1] !== SLASH || bytes[i + 2] !== SLASH) return null;
  i += 3;
  const authorityStart = i;
  while (i < end && bytes[i] !== SLASH && bytes[i] !== QUESTION) {
    if (bytes[i] === AT) return null;
    i++;
  }
  const authorityEnd = i;
  if (endOfHost(bytes, authorityStart, authorityEnd) < 0) return null;
  while (i < end && PATH[bytes[i] as number] === 1) i++;
  if (i < end && bytes[i] === QUESTION) {
    i++;
    while (i < end && QUERY[bytes[i] as number] === 1) i++;
  }
  if (i < end) return null;
  return { start: authorityStart, end: authorityEnd, defaultPort };
}

/**
 * Whether a valid Host value in bytes[start, end) names the host and port of `authority`: case does not matter, and an
 * empty or missing port is the scheme's default (RFC 9110 §4.2.3).
 */
export function isSameAuthority(bytes: Uint8Array, authority: Authority, start: number, end: number): boolean {
  const hostEndA = endOfHost(bytes, authority.start, authority.end);
  const hostEndB = endOfHost(bytes, start, end);
  const hostA = latin1(bytes, authority.start, hostEndA).toLowerCase();
  const hostB = latin1(bytes, start, hostEndB).toLowerCase();
  const portA = latin1(bytes, hostEndA + 1, authority.end) || authority.defaultPort;
  const portB = latin1(bytes, hostEndB + 1, end) || authority.defaultPort;
  return hostA === hostB && Number(portA) === Number(portB);
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}

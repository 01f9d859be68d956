/** Turns the path of a URL into file names. Refuses every path that is not made of plain names below the root. */
import { Buffer, isUtf8 } from 'node:buffer';

export interface ResolvedPath {
  /** Decoded names. None is empty, "." or "..", or contains a slash, a backslash or a control character. */
  readonly segments: readonly string[];
  /** Whether the path ends with a slash. */
  readonly isDirectory: boolean;
}

/** Linux: PATH_MAX without the NUL. */
const MAX_PATH_BYTES = 4095;
const MAX_NAME_BYTES = 255;
/** RFC 8615. */
const WELL_KNOWN = '.well-known';

/**
 * `path` is absolute, percent-encoded as it came, without query. It is decoded once, so `%252e` is a name with a percent sign.
 * Returns null for everything that could leave the root or is ambiguous: dot segments, encoded slashes, backslashes, NUL,
 * invalid UTF-8, empty segments, broken escapes. Also for hidden files, unless `showsDotfiles`.
 */
export function resolvePath(path: string, showsDotfiles: boolean): ResolvedPath | null {
  if (path.charCodeAt(0) !== 0x2f) return null;
  if (path.length === 1) return { segments: [], isDirectory: true };
  const isDirectory = path.endsWith('/');
  const segments = path.slice(1, isDirectory ? -1 : undefined).split('/');
  let bytes = 0;
  for (const [index, segment] of segments.entries()) {
    const name = segment.includes('%') ? decodeSegment(segment) : segment;
    if (name === null || !isName(name)) return null;
    if (name.startsWith('.') && !showsDotfiles && !(index === 0 && name === WELL_KNOWN)) return null;
    const length = Buffer.byteLength(name);
    bytes += length + 1;
    if (length > MAX_NAME_BYTES || bytes > MAX_PATH_BYTES) return null;
    segments[index] = name;
  }
  return { segments, isDirectory };
}

/** The same for an unencoded path from the app, with or without a leading slash. */
export function resolvePlainPath(path: string, showsDotfiles: boolean): readonly string[] | null {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  const isGood = segments.every((name) => isName(name) && (showsDotfiles || !name.startsWith('.')));
  return isGood && segments.length > 0 ? segments : null;
}

/** The URL path for these names. It never starts with "//", which would name another host. */
export function encodePath(segments: readonly string[]): string {
  return `/${segments.map(encodeName).join('/')}`;
}

/** Encodes any name as a path segment (RFC 3986 §3.3). */
export function encodeName(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}

function isName(name: string): boolean {
  if (name === '' || name === '.' || name === '..') return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x20 || code === 0x2f || code === 0x5c || code === 0x7f) return false;
  }
  return true;
}

/** Null for broken escapes and invalid UTF-8, including overlong forms and surrogates. */
function decodeSegment(segment: string): string | null {
  const bytes = Buffer.allocUnsafe(segment.length * 3);
  let length = 0;
  for (let i = 0; i < segment.length; i++) {
    if (segment.charCodeAt(i) !== 0x25) {
      length += bytes.write(segment[i] as string, length, 'utf8');
      continue;
    }
    const hex = segment.slice(i + 1, i + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return null;
    bytes[length++] = Number.parseInt(hex, 16);
    i += 2;
  }
  const decoded = bytes.subarray(0, length);
  return isUtf8(decoded) ? decoded.toString('utf8') : null;
}

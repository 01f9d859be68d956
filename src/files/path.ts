/** From the path of a URL to names of files, with no way out: whatever is not a plain name below the root is nothing (404). */
import { Buffer, isUtf8 } from 'node:buffer';

export interface ResolvedPath {
  /** Decoded names; none of them is empty, "." or "..", or has a slash, a backslash or a control character. */
  readonly segments: readonly string[];
  /** The path ends with a slash. */
  readonly isDirectory: boolean;
}

/** A Linux path, NUL included (PATH_MAX). */
const MAX_PATH_BYTES = 4095;
const MAX_NAME_BYTES = 255;
/** RFC 8615. */
const WELL_KNOWN = '.well-known';

/**
 * `path` is as it came: absolute, without query, percent-encoded. It is decoded once, so `%252e` is a name with a percent sign. Null:
 * what could lead out of the root or be read in two ways (dot segments, encoded slashes, backslashes, NUL, bytes that are not
 * UTF-8, empty segments), broken escapes, and hidden files, unless `showsDotfiles`.
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

/** The same for a path that an app gives, not encoded, with or without a slash at its beginning. */
export function resolvePlainPath(path: string, showsDotfiles: boolean): readonly string[] | null {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  const isGood = segments.every((name) => isName(name) && (showsDotfiles || !name.startsWith('.')));
  return isGood && segments.length > 0 ? segments : null;
}

/** A path of a URL that means these names and nothing else: it never starts with "//", which would be another host. */
export function encodePath(segments: readonly string[]): string {
  return `/${segments.map(encodeName).join('/')}`;
}

/** A name as a path segment (RFC 3986 §3.3), whatever characters it has. */
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

/** Null: broken escapes, or bytes that are not UTF-8: overlong forms and surrogates are not. */
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

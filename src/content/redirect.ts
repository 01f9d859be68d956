/** Redirects (RFC 9110 §15.4) with a validated Location. */

import { hasControls } from './field-syntax.ts';

/** Clients may turn POST into GET after 301 and 302, must after 303, and must not after 307 and 308. */
export type RedirectStatus = 301 | 302 | 303 | 307 | 308;

export interface Redirect {
  readonly status: RedirectStatus;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

const STATUSES: readonly number[] = [301, 302, 303, 307, 308];
/** Characters not allowed in a URI (RFC 3986 §2). Existing escapes are kept. */
const NOT_URI_CHARACTERS = /[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+/g;

/** Throws a RangeError for control characters and for schemes that run code. Percent-encodes other invalid characters. */
export function redirect(location: string, status: RedirectStatus = 302): Redirect {
  if (!STATUSES.includes(status)) throw new RangeError(`a redirect must be 301, 302, 303, 307 or 308, got ${status}`);
  return { status, fields: [['Location', checkedLocation(location)]] };
}

/**
 * Whether every browser resolves `target` to this origin: an absolute path, not "//host", without backslashes (browsers treat
 * them as "/") and control characters (browsers drop them). Use it for targets taken from a request, as in `?next=/home`.
 */
export function isLocalTarget(target: string): boolean {
  return /^\/(?!\/)[^\\ ]*$/.test(target) && !hasControls(target);
}

/** Returns `target` if it stays on this origin, otherwise `fallback`. */
export function localTarget(target: string | null, fallback = '/'): string {
  return target !== null && isLocalTarget(target) ? target : fallback;
}

function checkedLocation(location: string): string {
  // A line break would start another field, and browsers drop tabs, which can change the meaning.
  if (hasControls(location)) {
    throw new RangeError(`location must have no control characters, got ${JSON.stringify(location)}`);
  }
  const uri = location.trim();
  if (/^(?:javascript|data|vbscript|file|blob):/i.test(uri)) {
    throw new RangeError(`location must not run code or read files, got ${JSON.stringify(location)}`);
  }
  return uri.replace(NOT_URI_CHARACTERS, (text) => encodeURI(text.toWellFormed()));
}

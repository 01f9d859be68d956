/** Redirects (RFC 9110 §15.4): a Location that says what was meant, and nothing more. */

import { hasControls } from './field-syntax.ts';

/** 301 and 302 may turn POST into GET, 303 always does, 307 and 308 never do. */
export type RedirectStatus = 301 | 302 | 303 | 307 | 308;

export interface Redirect {
  readonly status: RedirectStatus;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

const STATUSES: readonly number[] = [301, 302, 303, 307, 308];
/** What a URI may be made of (RFC 3986 §2), and "%", which is left as it is. */
const NOT_URI_CHARACTERS = /[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+/g;

/** Throws a RangeError where `location` has control characters or a scheme that runs code. Other characters are percent-encoded. */
export function redirect(location: string, status: RedirectStatus = 302): Redirect {
  if (!STATUSES.includes(status)) throw new RangeError(`a redirect must be 301, 302, 303, 307 or 308, got ${status}`);
  return { status, fields: [['Location', checkedLocation(location)]] };
}

/**
 * Whether `target` stays on this origin however a browser reads it: a path from the root, not "//host", with no backslash (which
 * browsers take for "/") and no control characters (which they drop). For targets that come from a request, as in `?next=/home`.
 */
export function isLocalTarget(target: string): boolean {
  return /^\/(?!\/)[^\\ ]*$/.test(target) && !hasControls(target);
}

/** `target` if it stays on this origin, else `fallback`. */
export function localTarget(target: string | null, fallback = '/'): string {
  return target !== null && isLocalTarget(target) ? target : fallback;
}

function checkedLocation(location: string): string {
  // A line end would start another field; a tab or a space at the ends would be dropped and change what follows.
  if (hasControls(location)) {
    throw new RangeError(`location must have no control characters, got ${JSON.stringify(location)}`);
  }
  const uri = location.trim();
  if (/^(?:javascript|data|vbscript|file|blob):/i.test(uri)) {
    throw new RangeError(`location must not run code or read files, got ${JSON.stringify(location)}`);
  }
  return uri.replace(NOT_URI_CHARACTERS, (text) => encodeURI(text.toWellFormed()));
}

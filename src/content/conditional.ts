/**
 * Conditional requests (RFC 9110 §13): evaluates the If-* fields of a request against the current representation. Used for
 * files, and by apps for their own answers. Evaluate only when the answer would otherwise be 2xx (§13.2.1).
 */
import { listHasTag, matchesStrongly, matchesWeakly } from './entity-tags.ts';
import { parseHttpDate } from './http-date.ts';

/** The part of a request that preconditions need. */
export interface ConditionalRequest {
  readonly method: string;
  /** The value of a field, or null. Names are passed in lower case. */
  header(name: string): string | null;
}

/** Identifies the current representation of the target. Pass null instead if there is none. */
export interface Validators {
  /** The value of the ETag field, quotes included; null without one. */
  readonly etag: string | null;
  /** Milliseconds since 1970; null: unknown. */
  readonly lastModified: number | null;
}

/** 0: proceed. Otherwise answer with this status and without content. */
export type PreconditionStatus = 0 | 304 | 412;

/** Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC 9110 §13.2.2. */
export function evaluatePreconditions(request: ConditionalRequest, current: Validators | null): PreconditionStatus {
  const { method } = request;
  // These methods neither select nor change a representation (RFC 9110 §13.2.1).
  if (method === 'OPTIONS' || method === 'CONNECT' || method === 'TRACE') return 0;

  const ifMatch = request.header('if-match');
  if (ifMatch !== null) {
    if (!hasMatch(ifMatch, current, matchesStrongly)) return 412;
  } else {
    const since = dateIn(request, 'if-unmodified-since', current);
    if (since !== null && modifiedAt(current) > since) return 412;
  }

  const isRead = method === 'GET' || method === 'HEAD';
  const ifNoneMatch = request.header('if-none-match');
  if (ifNoneMatch !== null) {
    if (hasMatch(ifNoneMatch, current, matchesWeakly)) return isRead ? 304 : 412;
  } else if (isRead) {
    const since = dateIn(request, 'if-modified-since', current);
    if (since !== null && modifiedAt(current) <= since) return 304;
  }
  return 0;
}

/**
 * If-Range (RFC 9110 §13.1.5): whether to honor the request's Range. A date counts only as a strong validator: the second of
 * the change must be over (§8.8.2.2).
 */
export function isRangeCurrent(request: ConditionalRequest, current: Validators, now: number): boolean {
  const value = request.header('if-range');
  if (value === null) return true;
  if (value.startsWith('"') || value.startsWith('W/')) {
    return current.etag !== null && matchesStrongly(value, current.etag);
  }
  if (current.lastModified === null) return false;
  const modified = wholeSecond(current.lastModified);
  return parseHttpDate(value, now) === modified && now - modified >= 1000;
}

function hasMatch(list: string, current: Validators | null, matches: (a: string, b: string) => boolean): boolean {
  if (current === null) return false;
  if (list === '*') return true;
  return current.etag !== null && listHasTag(list, current.etag, matches);
}

/** The date in a field; null if the field must be ignored: it is absent, not a date, or there is nothing to compare it with. */
function dateIn(request: ConditionalRequest, name: string, current: Validators | null): number | null {
  if (current === null || current.lastModified === null) return null;
  const value = request.header(name);
  return value === null ? null : parseHttpDate(value);
}

function modifiedAt(current: Validators | null): number {
  return wholeSecond(current?.lastModified ?? 0);
}

/** Last-Modified has whole seconds, so comparisons do too. */
function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

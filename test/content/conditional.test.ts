import { describe, expect, test } from 'vitest';
import { evaluatePreconditions, isRangeCurrent, type Validators } from '../../src/content/conditional.ts';

const T = 'Sun, 06 Nov 1994 08:49:37 GMT';
const BEFORE = 'Sun, 06 Nov 1994 08:49:36 GMT';
const AFTER = 'Sun, 06 Nov 1994 08:49:38 GMT';
const MS = Date.UTC(1994, 10, 6, 8, 49, 37);
/** File systems store fractions of a second, Last-Modified does not. */
const CURRENT: Validators = { etag: '"a"', lastModified: MS + 700 };
const WEAK: Validators = { etag: 'W/"a"', lastModified: MS };
const TAG_ONLY: Validators = { etag: '"a"', lastModified: null };
const DATE_ONLY: Validators = { etag: null, lastModified: MS };
const NOTHING_KNOWN: Validators = { etag: null, lastModified: null };

function request(method: string, fields: Readonly<Record<string, string>>) {
  return { method, header: (name: string) => fields[name] ?? null };
}

describe('the order of RFC 9110 §13.2.2', () => {
  test.each<[string, string, Record<string, string>, Validators | null, number]>([
    ['no precondition', 'GET', {}, CURRENT, 0],
    // Step 1
    ['If-Match has the tag', 'GET', { 'if-match': '"x", "a"' }, CURRENT, 0],
    ['If-Match has another', 'GET', { 'if-match': '"x"' }, CURRENT, 412],
    ['If-Match has another, PUT', 'PUT', { 'if-match': '"x"' }, CURRENT, 412],
    ['If-Match compares strongly', 'PUT', { 'if-match': 'W/"a"' }, WEAK, 412],
    ['If-Match: * of something', 'PUT', { 'if-match': '*' }, NOTHING_KNOWN, 0],
    ['If-Match: * of nothing', 'PUT', { 'if-match': '*' }, null, 412],
    ['If-Match of nothing', 'DELETE', { 'if-match': '"a"' }, null, 412],
    ['If-Match without a tag to compare', 'PUT', { 'if-match': '"a"' }, DATE_ONLY, 412],
    ['an invalid If-Match', 'PUT', { 'if-match': 'a' }, CURRENT, 412],
    ['If-Match beats If-Unmodified-Since', 'PUT', { 'if-match': '"a"', 'if-unmodified-since': BEFORE }, CURRENT, 0],
    // Step 2
    ['If-Unmodified-Since the same', 'PUT', { 'if-unmodified-since': T }, CURRENT, 0],
    ['If-Unmodified-Since later', 'PUT', { 'if-unmodified-since': AFTER }, CURRENT, 0],
    ['If-Unmodified-Since earlier', 'PUT', { 'if-unmodified-since': BEFORE }, CURRENT, 412],
    ['If-Unmodified-Since earlier, GET', 'GET', { 'if-unmodified-since': BEFORE }, CURRENT, 412],
    ['an invalid If-Unmodified-Since', 'PUT', { 'if-unmodified-since': 'x' }, CURRENT, 0],
    ['If-Unmodified-Since without a date to compare', 'PUT', { 'if-unmodified-since': BEFORE }, TAG_ONLY, 0],
    ['If-Unmodified-Since of nothing', 'PUT', { 'if-unmodified-since': BEFORE }, null, 0],
    // Step 3
    ['If-None-Match has the tag, GET', 'GET', { 'if-none-match': '"x", "a"' }, CURRENT, 304],
    ['If-None-Match has the tag, HEAD', 'HEAD', { 'if-none-match': '"a"' }, CURRENT, 304],
    ['If-None-Match has the tag, PUT', 'PUT', { 'if-none-match': '"a"' }, CURRENT, 412],
    ['If-None-Match compares weakly', 'GET', { 'if-none-match': 'W/"a"' }, CURRENT, 304],
    ['If-None-Match compares weakly, the other way', 'GET', { 'if-none-match': '"a"' }, WEAK, 304],
    ['If-None-Match has others', 'GET', { 'if-none-match': '"x"' }, CURRENT, 0],
    ['If-None-Match: * of something', 'PUT', { 'if-none-match': '*' }, NOTHING_KNOWN, 412],
    ['If-None-Match: * of something, GET', 'GET', { 'if-none-match': '*' }, CURRENT, 304],
    ['If-None-Match: * of nothing', 'PUT', { 'if-none-match': '*' }, null, 0],
    ['an invalid If-None-Match', 'GET', { 'if-none-match': 'a' }, CURRENT, 0],
    [
      'If-None-Match beats If-Modified-Since',
      'GET',
      { 'if-none-match': '"x"', 'if-modified-since': AFTER },
      CURRENT,
      0,
    ],
    // Step 4
    ['If-Modified-Since the same', 'GET', { 'if-modified-since': T }, CURRENT, 304],
    ['If-Modified-Since later', 'HEAD', { 'if-modified-since': AFTER }, CURRENT, 304],
    ['If-Modified-Since earlier', 'GET', { 'if-modified-since': BEFORE }, CURRENT, 0],
    ['If-Modified-Since of another method', 'POST', { 'if-modified-since': AFTER }, CURRENT, 0],
    ['an invalid If-Modified-Since', 'GET', { 'if-modified-since': 'x' }, CURRENT, 0],
    ['If-Modified-Since without a date to compare', 'GET', { 'if-modified-since': AFTER }, TAG_ONLY, 0],
    // Across steps
    ['a passed step 1 goes on to 3', 'PUT', { 'if-match': '"a"', 'if-none-match': '"a"' }, CURRENT, 412],
    ['a failed step 1 comes before 3', 'GET', { 'if-match': '"x"', 'if-none-match': '"a"' }, CURRENT, 412],
    ['a passed step 2 goes on to 4', 'GET', { 'if-unmodified-since': T, 'if-modified-since': T }, CURRENT, 304],
    // RFC 9110 §13.2.1
    ['OPTIONS has no preconditions', 'OPTIONS', { 'if-match': '"x"' }, CURRENT, 0],
    ['TRACE has no preconditions', 'TRACE', { 'if-none-match': '*' }, CURRENT, 0],
  ])('%s', (_name, method, fields, current, status) => {
    expect(evaluatePreconditions(request(method, fields), current)).toBe(status);
  });
});

describe('If-Range (RFC 9110 §13.1.5)', () => {
  test.each<[string, string | null, Validators, boolean]>([
    ['absent', null, CURRENT, true],
    ['the tag', '"a"', CURRENT, true],
    ['another tag', '"b"', CURRENT, false],
    ['a weak tag', 'W/"a"', WEAK, false],
    ['a tag if there is none', '"a"', DATE_ONLY, false],
    ['the date', T, CURRENT, true],
    ['an earlier date', BEFORE, CURRENT, false],
    ['a later date', AFTER, CURRENT, false],
    ['a date if there is none', T, TAG_ONLY, false],
    ['what is neither', 'a', CURRENT, false],
  ])('%s', (_name, value, current, isCurrent) => {
    const fields: Record<string, string> = value === null ? {} : { 'if-range': value };
    expect(isRangeCurrent(request('GET', fields), current, MS + 60_000)).toBe(isCurrent);
  });

  test('a date is not a strong validator while its second lasts', () => {
    const ask = (now: number) => isRangeCurrent(request('GET', { 'if-range': T }), CURRENT, now);
    expect([ask(MS + 999), ask(MS + 1000)]).toEqual([false, true]);
  });
});

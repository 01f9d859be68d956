import { describe, expect, test } from 'vitest';
import { formatHttpDate, parseHttpDate } from '../../src/content/http-date.ts';

const BIRTH = Date.UTC(1994, 10, 6, 8, 49, 37);
const NOW = Date.UTC(2026, 0, 1);

test('writes IMF-fixdate, without fractions', () => {
  expect(formatHttpDate(BIRTH + 999)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  expect(formatHttpDate(0)).toBe('Thu, 01 Jan 1970 00:00:00 GMT');
});

describe('reads', () => {
  test.each([
    ['IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT', BIRTH],
    ['RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', BIRTH],
    ['asctime', 'Sun Nov  6 08:49:37 1994', BIRTH],
    ['asctime with a day of two digits', 'Sun Nov 16 08:49:37 1994', BIRTH + 10 * 86_400_000],
    ['a leap second', 'Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1)],
    ['the day of a leap year', 'Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
    ['RFC 850 of this century', 'Thursday, 01-Jan-70 00:00:00 GMT', Date.UTC(2070, 0, 1)],
    ['RFC 850 of more than 50 years ahead as past', 'Thursday, 01-Jan-77 00:00:00 GMT', Date.UTC(1977, 0, 1)],
    ['a day whose name does not fit', 'Mon, 06 Nov 1994 08:49:37 GMT', BIRTH],
    ['a year below 100 as it is', 'Sun, 06 Nov 0094 08:49:37 GMT', new Date(0).setUTCFullYear(94, 10, 6) + 31_777_000],
  ])('%s', (_name, text, ms) => {
    expect(parseHttpDate(text, NOW)).toBe(ms);
  });
});

test.each([
  '',
  'now',
  '0',
  '1994-11-06T08:49:37Z',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 1994 08:49:37 UTC',
  'Sun, 06 Nov 1994 08:49:37 GMT ',
  ' Sun, 06 Nov 1994 08:49:37 GMT',
  'sun, 06 Nov 1994 08:49:37 GMT',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'Sun, 06 nov 1994 08:49:37 GMT',
  'Sun, 06 ovD 1994 08:49:37 GMT',
  'Sun, 31 Feb 1994 08:49:37 GMT',
  'Sun, 00 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 24:00:00 GMT',
  'Sun, 06 Nov 1994 08:60:37 GMT',
  'Sun, 06 Nov 1994 08:49:61 GMT',
  'Sun, 06 Nov 1994 08:49:3  GMT',
  'Sun, 06 Nov 1994 +8:49:37 GMT',
  'Sunday, 06-Nov-1994 08:49:37 GMT',
  'Sun, 06-Nov-94 08:49:37 GMT',
  'Sun Nov 06 08:49:37 GMT 1994',
])('does not read %j', (text) => {
  expect(parseHttpDate(text, NOW)).toBeNull();
});

test('reads what it writes', () => {
  for (let ms = 0; ms < 4e12; ms += 86_400_000 * 97 + 12_345_000) {
    const second = Math.floor(ms / 1000) * 1000;
    expect(parseHttpDate(formatHttpDate(ms))).toBe(second);
  }
});

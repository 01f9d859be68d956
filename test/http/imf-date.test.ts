import { expect, test } from 'vitest';
import { imfDate } from '../../src/http/imf-date.ts';

test('the example of RFC 9110 §5.6.7', () => {
  expect(imfDate(784_111_777)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
});

test('every day from 1970 to 2400, and the last second of 9999, as Date has them', () => {
  const last = Date.UTC(2401, 0, 1) / 1000;
  for (let second = 0, step = 86_399; second < last; second += step) {
    const text = imfDate(second);
    if (text !== new Date(second * 1000).toUTCString()) expect(text).toBe(new Date(second * 1000).toUTCString());
  }
  expect(imfDate(253_402_300_799)).toBe('Fri, 31 Dec 9999 23:59:59 GMT');
});

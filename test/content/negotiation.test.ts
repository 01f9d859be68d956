import { describe, expect, test } from 'vitest';
import { type ContentCoding, chooseCoding, codingWeights, withVary } from '../../src/content/negotiation.ts';

const ALL: ContentCoding[] = ['br', 'zstd', 'gzip'];

describe('the coding for Accept-Encoding', () => {
  test.each<[string | null, ContentCoding[], ContentCoding | 'identity' | null]>([
    [null, ALL, 'identity'],
    ['', ALL, 'identity'],
    ['gzip', ALL, 'gzip'],
    ['gzip, deflate, br, zstd', ALL, 'br'],
    ['gzip, deflate, br, zstd', ['zstd', 'gzip'], 'zstd'],
    ['gzip, deflate, br', [], 'identity'],
    ['gzip;q=0.9, br;q=0.8', ALL, 'gzip'],
    ['GZIP;Q=0.5', ALL, 'gzip'],
    ['x-gzip', ALL, 'gzip'],
    ['gzip ; q=0.5 , br ; q=0.4', ALL, 'gzip'],
    ['gzip;q=0', ['gzip'], 'identity'],
    ['gzip;q=0.000', ['gzip'], 'identity'],
    ['gzip;q=0.001', ['gzip'], 'gzip'],
    ['deflate', ALL, 'identity'],
    ['*', ALL, 'br'],
    ['*;q=0.1', ALL, 'br'],
    ['br;q=0, *', ALL, 'zstd'],
    ['identity', ALL, 'identity'],
    ['identity, gzip;q=0.5', ALL, 'identity'],
    ['identity;q=0.5, gzip', ALL, 'gzip'],
    ['identity, gzip', ALL, 'gzip'],
    ['identity;q=0', ['gzip'], null],
    ['identity;q=0, gzip', ALL, 'gzip'],
    ['*;q=0', ALL, null],
    ['*;q=0, identity', ALL, 'identity'],
    ['*;q=0, gzip', ALL, 'gzip'],
    ['gzip, *;q=0', ['br'], null],
    // An invalid weight is ignored.
    ['gzip;q=2', ALL, 'identity'],
    ['gzip;q=1.001', ALL, 'identity'],
    ['gzip;q=0.0001', ALL, 'identity'],
    ['gzip;q=', ALL, 'identity'],
    ['gzip;x=1', ALL, 'identity'],
    ['gzip;q=-1, br', ALL, 'br'],
    ['gzip gzip', ALL, 'identity'],
  ])('%j of %j: %s', (field, available, coding) => {
    expect(chooseCoding(codingWeights(field), available)).toBe(coding);
  });
});

test('a parsed value is remembered, but not forever', () => {
  const first = codingWeights('gzip;q=0.123');
  expect(codingWeights('gzip;q=0.123')).toBe(first);
  for (let i = 0; i < 100; i++) codingWeights(`x${i}`);
  expect(codingWeights('gzip;q=0.123')).not.toBe(first);
  expect(codingWeights('gzip;q=0.123')).toEqual(first);
});

test.each([
  [null, 'Accept-Encoding'],
  ['', 'Accept-Encoding'],
  ['Origin', 'Origin, Accept-Encoding'],
  ['accept-encoding', 'accept-encoding'],
  ['Origin , ACCEPT-ENCODING', 'Origin , ACCEPT-ENCODING'],
  ['*', '*'],
])('Vary %j and Accept-Encoding: %s', (vary, value) => {
  expect(withVary(vary, 'Accept-Encoding')).toBe(value);
});

import { describe, expect, test } from 'vitest';
import { parsePairs, parseQuery, queryValue } from '../../src/content/query.ts';
import { Random } from '../fuzz/random.ts';

describe('decodes as URLSearchParams does', () => {
  test.each([
    '',
    'a',
    'a=',
    '=a',
    '=',
    '&',
    '&&a=1&&',
    'a=1&b=2&a=3',
    'a=b=c',
    'a+b=c+d',
    'a%20b=%2B',
    'a=%',
    'a=%4',
    'a=%zz%41',
    'a=%C3%A9',
    'a=%E2%82',
    'a=%ff%fe&%80=1',
    'a=%C3%28',
    'a=%00',
    'a=%EF%BB%BFx',
    '%61=%62',
    'a=\u00e9',
    'a=%ED%A0%80',
    '__proto__=1&constructor=2',
  ])('%j', (query) => {
    expect([...parseQuery(query)]).toEqual([...new URLSearchParams(query)]);
  });

  test('whatever is sent', () => {
    const random = new Random(Number(process.env['FUZZ_SEED'] ?? 13));
    const alphabet = ['a', 'b', '=', '&', '+', '%', '%41', '%C3', '%A9', '%E2%82%AC', '%f0', '%zz', '0', 'F', 'x'];
    for (let round = 0; round < 20_000; round++) {
      let query = '';
      for (let i = random.below(10); i > 0; i--) query += random.pick(alphabet);
      const pairs = [...parseQuery(query)];
      const theirs = new URLSearchParams(query);
      // Not with `expect`, which would take as long as all the rest.
      if (JSON.stringify(pairs) !== JSON.stringify([...theirs])) expect(pairs, query).toEqual([...theirs]);
      const name = pairs[0]?.[0] ?? 'a';
      if (queryValue(query, name) !== theirs.get(name)) expect.fail(query);
    }
  });
});

test('repeated and missing names', () => {
  const query = parseQuery('a=1&b=&a=3&c');
  expect([query.get('a'), query.get('b'), query.get('c'), query.get('d')]).toEqual(['1', '', '', null]);
  expect([query.getAll('a'), query.getAll('d')]).toEqual([['1', '3'], []]);
  expect([query.has('c'), query.has('d'), query.size]).toEqual([true, false, 4]);
});

test('more pairs than allowed are refused', () => {
  expect(parsePairs('a&b&&c', 3)?.size).toBe(3);
  expect(parsePairs('a&b&&c', 2)).toBeNull();
});

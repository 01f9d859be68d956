import { describe, expect, test } from 'vitest';
import { isEntityTag, listHasTag, matchesStrongly, matchesWeakly, weaken } from '../../src/content/entity-tags.ts';

describe('the comparisons of RFC 9110 §8.8.3.2', () => {
  test.each([
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', '"1"', true, true],
    ['"1"', '"11"', false, false],
    ['"11"', 'W/"1"', false, false],
  ])('%s and %s', (one, other, strong, weak) => {
    expect([matchesStrongly(one, other), matchesWeakly(one, other)]).toEqual([strong, weak]);
    expect([matchesStrongly(other, one), matchesWeakly(other, one)]).toEqual([strong, weak]);
  });
});

test.each([
  ['"a"', true],
  ['""', true],
  ['W/"a"', true],
  ['"\u00e9"', true],
  ['"a,b"', true],
  ['w/"a"', false],
  ['"a b"', false],
  ['"a', false],
  ['a', false],
  ['"a"b', false],
  ['"a"b"', false],
  ['', false],
  ['*', false],
])('%s is an entity tag: %s', (text, isTag) => {
  expect(isEntityTag(text)).toBe(isTag);
});

test.each([
  ['"a"', true],
  ['"b", "a"', true],
  ['"b","a"', true],
  [', ,"b" ,\t"a",', true],
  ['"b"', false],
  ['"b" "a"', false],
  ['"b, "a"', false],
  ['a', false],
  ['', false],
  ['"a" garbage', true],
  ['garbage, "a"', false],
  ['"x,\\"a"', false],
])('the list %s has "a": %s', (list, has) => {
  expect(listHasTag(list, '"a"', matchesStrongly)).toBe(has);
});

test('weakens once', () => {
  expect(weaken('"a"')).toBe('W/"a"');
  expect(weaken('W/"a"')).toBe('W/"a"');
});

import { describe, expect, test } from 'vitest';
import { encodePath, resolvePath, resolvePlainPath } from '../../src/files/path.ts';
import { Random } from '../fuzz/random.ts';

function show(path: string, showsDotfiles = false): string | null {
  const resolved = resolvePath(path, showsDotfiles);
  return resolved === null ? null : JSON.stringify(resolved.segments) + (resolved.isDirectory ? '/' : '');
}

test.each([
  ['/', '[]/'],
  ['/a', '["a"]'],
  ['/a/', '["a"]/'],
  ['/a/b.c', '["a","b.c"]'],
  ['/a%20b', '["a b"]'],
  ['/%C3%A9', '["é"]'],
  ['/\u00e9', '["é"]'],
  ['/%F0%9F%98%80', '["😀"]'],
  ['/a%3Fb%23c', '["a?b#c"]'],
  ['/a..b/c...', '["a..b","c..."]'],
  ['/.well-known/acme', '[".well-known","acme"]'],
  // Decoded once, so these are odd names.
  ['/%252e%252e/a', '["%2e%2e","a"]'],
  ['/%2500', '["%00"]'],
  ['/javascript:alert(1)', '["javascript:alert(1)"]'],
])('%s', (path, segments) => {
  expect(show(path)).toBe(segments);
});

describe('no way out', () => {
  test.each([
    '',
    'a',
    '..',
    '/..',
    '/../',
    '/../etc/passwd',
    '/a/../../b',
    '/a/..',
    '/.',
    '/./a',
    '/%2e%2e/a',
    '/%2E./a',
    '/.%2e/a',
    '/a%2f..%2fb',
    '/..%2fa',
    '/a%2Fb',
    '/..\\a',
    '/a\\..\\b',
    '/%5c..%5ca',
    '/..%5ca',
    '/a%00',
    '/a%00.html',
    '/a\u0000',
    '/%0a',
    '/%7f',
    '//',
    '//a',
    '//evil.example',
    '/a//b',
    '/a//',
    // Overlong forms of "." and "/", surrogates, a lone byte.
    '/%c0%ae%c0%ae/a',
    '/%c0%af',
    '/%e0%80%ae',
    '/%f0%80%80%ae',
    '/%ed%a0%80',
    '/%ff',
    '/%',
    '/%2',
    '/%zz',
    '/%u002e',
    '/.git/config',
    '/a/.env',
    '/a/.well-known',
    '/%2ehtaccess',
    `/${'a'.repeat(256)}`,
    `/${'a/'.repeat(2100)}b`,
  ])('%.60s', (path) => {
    expect(show(path)).toBeNull();
  });
});

test('hidden files if they are enabled, but never ".."', () => {
  expect([show('/.git/a', true), show('/...', true), show('/..', true), show('/.', true)]).toEqual([
    '[".git","a"]',
    '["..."]',
    null,
    null,
  ]);
});

test.each<[string, boolean, readonly string[] | null]>([
  ['a/b', false, ['a', 'b']],
  ['/a//b/', false, ['a', 'b']],
  ['./a', false, ['a']],
  ['a%20b', false, ['a%20b']],
  ['../a', true, null],
  ['a/../b', true, null],
  ['a\u0000', true, null],
  ['a\\b', true, null],
  ['.env', false, null],
  ['.env', true, ['.env']],
  ['', true, null],
  ['/', true, null],
])('the plain path %j (hidden: %s) is %j', (path, showsDotfiles, segments) => {
  expect(resolvePlainPath(path, showsDotfiles)).toEqual(segments);
});

test.each([
  [['a b', 'c'], '/a%20b/c'],
  [['é', '?#%'], '/%C3%A9/%3F%23%25'],
  [['\ud800'], '/%EF%BF%BD'],
  [[], '/'],
])('%j as the path of a URL', (segments, path) => {
  expect(encodePath(segments)).toBe(path);
});

test('any input yields plain names or nothing, and such a path never names a host', () => {
  const random = new Random(Number(process.env['FUZZ_SEED'] ?? 13));
  const alphabet = [
    '/',
    '/',
    '.',
    '..',
    '%2e',
    '%2f',
    '%5c',
    '\\',
    '%00',
    'a',
    '%c0%ae',
    '%25',
    ':',
    '@',
    '%20',
    'é',
    '%',
  ];
  for (let round = 0; round < 20_000; round++) {
    let path = random.oneIn(8) ? '' : '/';
    for (let i = random.below(8); i > 0; i--) path += random.pick(alphabet);
    const resolved = resolvePath(path, random.oneIn(2));
    if (resolved === null || resolved.segments.length === 0) continue;
    const isBad = resolved.segments.some(
      (name) => /[/\\]/.test(name) || ['', '.', '..'].includes(name) || name.includes('\0'),
    );
    const url = new URL(`${encodePath(resolved.segments)}/`, 'http://a.example/x/y');
    if (isBad || url.host !== 'a.example' || url.protocol !== 'http:') expect.fail(path);
    if (resolvePath(url.pathname, true)?.segments.join('\n') !== resolved.segments.join('\n')) expect.fail(path);
  }
});

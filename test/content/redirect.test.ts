import { describe, expect, test } from 'vitest';
import { isLocalTarget, localTarget, type RedirectStatus, redirect } from '../../src/content/redirect.ts';

describe('Location', () => {
  test.each([
    ['/a', '/a'],
    ['https://a.example/b?c=d#e', 'https://a.example/b?c=d#e'],
    ['/a b', '/a%20b'],
    ['/é', '/%C3%A9'],
    ['/\u{1f600}', '/%F0%9F%98%80'],
    ['/%20%zz', '/%20%zz'],
    ['/<">', '/%3C%22%3E'],
    [' /a ', '/a'],
    ['/\ud800', '/%EF%BF%BD'],
    ['?a', '?a'],
    ['', ''],
  ])('%j', (location, value) => {
    expect(redirect(location).fields).toEqual([['Location', value]]);
  });

  test.each(['/a\r\nSet-Cookie: x=1', '/\n', '/\u0000', '\t/a', '/\u007f'])('refuses %j', (location) => {
    expect(() => redirect(location)).toThrow('location must have no control characters');
  });

  test.each(['javascript:alert(1)', 'JavaScript:alert(1)', ' javascript:x', 'data:text/html,x', 'file:///etc/passwd'])(
    'refuses %j',
    (location) => {
      expect(() => redirect(location)).toThrow('location must not run code or read files');
    },
  );
});

test('statuses', () => {
  expect(redirect('/').status).toBe(302);
  for (const status of [301, 302, 303, 307, 308] as const) expect(redirect('/', status).status).toBe(status);
  for (const status of [200, 300, 304, 305, 306]) {
    expect(() => redirect('/', status as RedirectStatus)).toThrow(`a redirect must be 301, 302, 303, 307 or 308`);
  }
});

describe('a local target', () => {
  test.each([
    ['/', true],
    ['/a/b?c=//d#e', true],
    ['/a//b', true],
    ['//evil.example', false],
    ['///evil.example', false],
    ['/\\evil.example', false],
    ['/a\\b', false],
    ['\\\\evil.example', false],
    ['/\t/evil.example', false],
    ['/\n/evil.example', false],
    [' //evil.example', false],
    ['https://evil.example', false],
    ['javascript:alert(1)', false],
    ['a', false],
    ['', false],
  ])('%j: %s', (target, isLocal) => {
    expect(isLocalTarget(target)).toBe(isLocal);
    expect(localTarget(target, '/home')).toBe(isLocal ? target : '/home');
    // How a browser resolves it.
    if (isLocal) expect(new URL(target, 'https://a.example/x').origin).toBe('https://a.example');
  });

  test('none', () => {
    expect(localTarget(null)).toBe('/');
  });
});

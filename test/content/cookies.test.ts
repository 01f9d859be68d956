import { describe, expect, test } from 'vitest';
import { deleteCookie, parseCookies, setCookie } from '../../src/content/cookies.ts';
import { Random } from '../fuzz/random.ts';

describe('Cookie', () => {
  test.each<[string | null, Record<string, string>]>([
    [null, {}],
    ['', {}],
    ['a=1', { a: '1' }],
    ['a=1; b=2', { a: '1', b: '2' }],
    ['a=1;b=2', { a: '1', b: '2' }],
    ['a=1;; ;b=2;', { a: '1', b: '2' }],
    [' a = 1 ', { a: '1' }],
    ['a=', { a: '' }],
    ['a=b=c', { a: 'b=c' }],
    ['a="1"', { a: '1' }],
    ['a="', { a: '"' }],
    ['a=""', { a: '' }],
    ['a=%20%C3%A9', { a: ' é' }],
    ['a=%', { a: '%' }],
    ['a=%zz', { a: '%zz' }],
    ['a=1; a=2', { a: '1' }],
    ['a', {}],
    ['=a; b=1', { b: '1' }],
    ['a; b=1', { b: '1' }],
    ['A=1; a=2', { A: '1', a: '2' }],
  ])('%j', (header, cookies) => {
    expect(Object.fromEntries(parseCookies(header))).toEqual(cookies);
  });

  test('a name cannot reach an object’s prototype', () => {
    expect(parseCookies('__proto__=1; constructor=2').get('__proto__')).toBe('1');
    expect(parseCookies('a=1').get('toString')).toBeUndefined();
  });
});

describe('Set-Cookie', () => {
  test.each<[string, string, Parameters<typeof setCookie>[2], string]>([
    ['a', '1', {}, 'a=1'],
    ['a', '', {}, 'a='],
    ['a', 'b c;d,"é%\\', {}, 'a=b%20c%3Bd%2C%22%C3%A9%25%5C'],
    ['a', "!#$&'()*+-./:<=>?@[]^_`{|}~", {}, "a=!#$&'()*+-./:<=>?@[]^_`{|}~"],
    ['a', '1', { path: '/' }, 'a=1; Path=/'],
    ['a', '1', { domain: 'a.example' }, 'a=1; Domain=a.example'],
    ['a', '1', { domain: '.a.example' }, 'a=1; Domain=.a.example'],
    ['a', '1', { expires: new Date(0) }, 'a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT'],
    ['a', '1', { maxAge: 60 }, 'a=1; Max-Age=60'],
    ['a', '1', { maxAge: 1e9 }, 'a=1; Max-Age=34560000'],
    ['a', '1', { maxAge: -1 }, 'a=1; Max-Age=0'],
    ['a', '1', { secure: true, httpOnly: true, sameSite: 'Lax' }, 'a=1; Secure; HttpOnly; SameSite=Lax'],
    ['a', '1', { secure: true, sameSite: 'None', partitioned: true }, 'a=1; Secure; SameSite=None; Partitioned'],
    ['__Host-a', '1', { secure: true, path: '/' }, '__Host-a=1; Path=/; Secure'],
    ['__Secure-a', '1', { secure: true, domain: 'a.b' }, '__Secure-a=1; Domain=a.b; Secure'],
    ['__Http-a', '1', { secure: true, httpOnly: true }, '__Http-a=1; Secure; HttpOnly'],
  ])('%s, %j, %j', (name, value, attributes, text) => {
    expect(setCookie(name, value, attributes)).toBe(text);
  });

  test.each<[string, string, Parameters<typeof setCookie>[2], string]>([
    ['', '1', {}, 'the name of a cookie must be a token, got ""'],
    ['a b', '1', {}, 'the name of a cookie must be a token, got "a b"'],
    ['a\r\nb', '1', {}, 'the name of a cookie must be a token, got "a\\r\\nb"'],
    ['a', 'x'.repeat(4096), {}, 'cookie a must take at most 4096 bytes, got 4097'],
    ['a', '1', { path: 'x' }, 'path must start with "/", without ";" and control characters, got "x"'],
    ['a', '1', { path: '/;x' }, 'path must start with "/", without ";" and control characters, got "/;x"'],
    ['a', '1', { path: '/\n' }, 'path must start with "/", without ";" and control characters, got "/\\n"'],
    ['a', '1', { domain: '' }, 'domain must be a host name, got ""'],
    ['a', '1', { domain: 'a;b' }, 'domain must be a host name, got "a;b"'],
    ['a', '1', { domain: 'a..b' }, 'domain must be a host name, got "a..b"'],
    ['a', '1', { expires: new Date(Number.NaN) }, 'expires must be a date from 1601 to 9999, got Invalid Date'],
    ['a', '1', { maxAge: 1.5 }, 'maxAge must be a whole number of seconds, got 1.5'],
    ['a', '1', { maxAge: Number.NaN }, 'maxAge must be a whole number of seconds, got NaN'],
    ['a', '1', { sameSite: 'lax' as 'Lax' }, 'sameSite must be Strict, Lax or None, got "lax"'],
    ['a', '1', { sameSite: 'None' }, 'cookie a must be secure to have sameSite None'],
    ['a', '1', { partitioned: true }, 'cookie a must be secure to be partitioned'],
    ['__Secure-a', '1', {}, 'cookie __Secure-a must be secure, as its prefix says'],
    ['__secure-a', '1', {}, 'cookie __secure-a must be secure, as its prefix says'],
    ['__Host-a', '1', { path: '/' }, 'cookie __Host-a must be secure, as its prefix says'],
    ['__Host-a', '1', { secure: true }, 'cookie __Host-a must have the path "/" and no domain, as its prefix says'],
    [
      '__HOST-a',
      '1',
      { secure: true, path: '/x' },
      'cookie __HOST-a must have the path "/" and no domain, as its prefix says',
    ],
    [
      '__Host-a',
      '1',
      { secure: true, path: '/', domain: 'a.b' },
      'cookie __Host-a must have the path "/" and no domain, as its prefix says',
    ],
    ['__Http-a', '1', { secure: true }, 'cookie __Http-a must be httpOnly, as its prefix says'],
    [
      '__Host-Http-a',
      '1',
      { secure: true, httpOnly: true },
      'cookie __Host-Http-a must have the path "/" and no domain, as its prefix says',
    ],
  ])('refuses %j=%.10s with %j', (name, value, attributes, message) => {
    expect(() => setCookie(name, value, attributes)).toThrow(new RangeError(message));
  });

  test('deletes', () => {
    expect(deleteCookie('a', { path: '/x' })).toBe('a=; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0');
  });
});

test('any value that is set comes back, and no header makes the parser throw', () => {
  const random = new Random(Number(process.env['FUZZ_SEED'] ?? 13));
  const alphabet = ['a', '=', ';', ' ', '"', '%', '%41', 'é', '€', ',', '\\', '\t', '\r', '\u0000', '😀', 'ÿ'];
  for (let round = 0; round < 20_000; round++) {
    let text = '';
    for (let i = random.below(10); i > 0; i--) text += random.pick(alphabet);
    const cookies = parseCookies(`x=1; ${text}`);
    const field = setCookie('name', text);
    const isGood =
      cookies.get('x') === '1' &&
      /^name=[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/.test(field) &&
      parseCookies(`a=b; ${field}`).get('name') === text;
    if (!isGood) expect.fail(JSON.stringify([text, field]));
  }
});

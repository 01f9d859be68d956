import { isIPv6 } from 'node:net';
import { describe, expect, test } from 'vitest';
import { authorityOfAbsoluteForm, endOfHost, isAuthorityForm, isSameAuthority } from '../../src/http/host.ts';
import { framed } from './bytes.ts';

/** Length of the host within `text`, or -1. */
function hostLength(text: string): number {
  const { bytes, start, end } = framed(text);
  const host = endOfHost(bytes, start, end);
  return host < 0 ? -1 : host - start;
}

describe('a host', () => {
  test.each([
    ['example.com', 11],
    ['example.com:', 11],
    ['example.com:80', 11],
    ['a', 1],
    ['%41%7e', 6],
    ['[::]', 4],
    ['[::]:1', 4],
    ['[v1.a]:65535', 6],
    ['', -1],
    [':80', -1],
    ['a:80:', -1],
    ['a:8a', -1],
    ['a:65536', -1],
    ['%4', -1],
    ['%', -1],
    ['a%4', -1],
    ['[', -1],
    ['[]', -1],
    ['[::', -1],
    ['[::]80', -1],
    ['[v1.]', -1],
    ['[v1', -1],
    ['[v', -1],
    ['a b', -1],
    ['a@b', -1],
    ['a/b', -1],
    ['[::1]@', -1],
  ])('%j ends at %d', (text, length) => {
    expect(hostLength(text)).toBe(length);
  });

  test('may contain every byte that RFC 3986 allows in a name, and no other', () => {
    const allowed = /[A-Za-z0-9._~!$&'()*+,;=-]/;
    for (let byte = 0; byte < 256; byte++) {
      const letter = String.fromCharCode(byte);
      // A colon begins the port, which may be empty.
      const isValid = allowed.test(letter) || letter === ':';
      expect([byte, hostLength(`a${letter}`) > 0]).toEqual([byte, isValid]);
    }
  });
});

describe('an IPv6 address', () => {
  // RFC 3986 §3.2.2, one row for each alternative of the grammar, at its longest and at its shortest.
  test.each([
    '1:22:333:4444:5:6:7:8',
    '1:2:3:4:5:6:192.0.2.1',
    '::2:3:4:5:6:7:8',
    '1::3:4:5:6:7:8',
    '::3:4:5:6:7:8',
    '1:2::4:5:6:7:8',
    '::4:5:6:7:8',
    '1:2:3::5:6:7:8',
    '::5:6:7:8',
    '1:2:3:4::6:7:8',
    '::6:7:8',
    '1:2:3:4:5::7:8',
    '::7:8',
    '1:2:3:4:5::255.255.255.255',
    '::0.0.0.0',
    '1:2:3:4:5:6::8',
    '::8',
    '1:2:3:4:5:6:7::',
    '1::',
    '::',
    'ABCD:EF01::abcd:ef01',
    '::ffff:10.20.30.40',
  ])('%s is one', (address) => {
    expect(isIPv6(address)).toBe(true);
    expect(hostLength(`[${address}]`)).toBe(address.length + 2);
  });

  test.each([
    '',
    ':',
    ':::',
    '1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '::1:2:3:4:5:6:7:8',
    '1::2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7:8::',
    '1::2::3',
    ':1::',
    '::1:',
    '12345::',
    '::g',
    '::-1',
    '1.2.3.4',
    '::1.2.3',
    '::1.2.3.4.5',
    '::1.2.3.256',
    '::1.2.3.04',
    '::1.2.3.',
    '::.1.2.3',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1%1',
    ' ::1',
    '::1 ',
    '::1/64',
  ])('%j is none', (address) => {
    expect(hostLength(`[${address}]`)).toBe(-1);
  });

  test('is valid exactly if Node accepts it, for random combinations of its parts', () => {
    const parts = ['0', '1', 'f', 'ABCD', '12345', ':', ':', ':', '::', '::', '.', '1.2.3.4', '255', '256', '01', 'g'];
    let state = 1;
    const next = (count: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % count;
    };
    let valid = 0;
    for (let round = 0; round < 50_000; round++) {
      // Every other time with colons in between, because otherwise hardly any would be valid.
      const colon = round % 2 === 0 ? '' : ':';
      const address = Array.from({ length: 1 + next(9) }, () => parts[next(parts.length)]).join(colon);
      const expected = isIPv6(address);
      if (expected) valid++;
      if (hostLength(`[${address}]`) > 0 !== expected) expect.unreachable(`${address} is ${expected ? 'one' : 'none'}`);
    }
    expect(valid).toBeGreaterThan(500);
  });
});

describe('authority-form', () => {
  test.each([
    ['a:443', true],
    ['[::1]:443', true],
    ['a:0', true],
    ['a', false],
    ['a:', false],
    [':443', false],
    ['[::1]', false],
    ['[::1]:', false],
    ['a:443/', false],
    ['a@b:443', false],
    ['*', false],
    ['/', false],
    ['', false],
  ])('%j: %s', (text, is) => {
    const { bytes, start, end } = framed(text);
    expect(isAuthorityForm(bytes, start, end)).toBe(is);
  });
});

describe('absolute-form', () => {
  const read = (text: string) => {
    const { bytes, start, end } = framed(text);
    const authority = authorityOfAbsoluteForm(bytes, start, end);
    if (authority === null) return null;
    return [bytes.toString('latin1', authority.start, authority.end), authority.defaultPort];
  };

  test.each([
    ['http://a', 'a', '80'],
    ['http://a/', 'a', '80'],
    ['hTTp://a:81/b?c', 'a:81', '80'],
    ['https://[::1]:/', '[::1]:', '443'],
    ['http://a?b', 'a', '80'],
    ['http://a/@:[', 'a', '80'],
    ['http://a//b/%20?%20', 'a', '80'],
    ['http://', null, null],
    ['http:/', null, null],
    ['http:', null, null],
    ['http', null, null],
    ['', null, null],
    ['1http://a/', null, null],
    ['ws://a/', null, null],
    ['http+unix://a/', null, null],
    ['http://a@b/', null, null],
    ['http://a/%4', 'a', '80'],
    ['http://a/%', 'a', '80'],
    ['http://a/#b', null, null],
    ['http://a:b/', null, null],
  ])('%j names %j', (text, authority, port) => {
    expect(read(text)).toEqual(authority === null ? null : [authority, port]);
  });

  test.each([
    ['http://a/', 'a', true],
    ['http://a/', 'A', true],
    ['http://a/', 'a:', true],
    ['http://a/', 'a:80', true],
    ['http://a/', 'a:0080', true],
    ['http://a:/', 'a:80', true],
    ['http://a:443/', 'a', false],
    ['https://a/', 'a:443', true],
    ['https://a/', 'a:80', false],
    ['http://a/', 'b', false],
    ['http://a/', 'aa', false],
    ['http://aa/', 'a', false],
    ['http://[::1]:80/', '[::1]', true],
    ['http://[::1]/', '[0::1]', false],
    ['http://a:8/', 'a:80', false],
  ])('%s and Host %s: %s', (target, host, isSame) => {
    const text = `${target} ${host}`;
    const { bytes, start, end } = framed(text);
    const authority = authorityOfAbsoluteForm(bytes, start, start + target.length);
    if (authority === null) throw new Error(`${target} is not in absolute-form`);
    expect(isSameAuthority(bytes, authority, start + target.length + 1, end)).toBe(isSame);
  });
});

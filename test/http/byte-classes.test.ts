import { describe, expect, test } from 'vitest';
import {
  equalsIgnoringCase,
  FIELD_VALUE,
  HEX_VALUE,
  IP_FUTURE,
  isDigit,
  PATH,
  QUERY,
  QUOTED_TEXT,
  REG_NAME,
  SCHEME,
  TOKEN,
} from '../../src/http/byte-classes.ts';
import { framed } from './bytes.ts';

describe('each byte belongs to the classes of the grammar', () => {
  // Stated independently, in the notation of the RFCs.
  const unreserved = 'A-Za-z0-9\\-._~';
  const subDelims = "!$&'()*+,;=";
  test.each<[string, Uint8Array, RegExp]>([
    ['tchar (RFC 9110 §5.6.2)', TOKEN, /[!#$%&'*+\-.^_`|~0-9A-Za-z]/],
    ['a path: pchar, "/" (RFC 3986 §3.3), [ ] |', PATH, new RegExp(`[${unreserved}${subDelims}:@/%[\\]|]`)],
    [
      'a query: pchar, "/", "?" (RFC 3986 §3.4), [ ] | ^ ` { } \\',
      QUERY,
      new RegExp(`[${unreserved}${subDelims}:@/?%[\\]|^\`{}\\\\]`),
    ],
    ['reg-name without "%" (RFC 3986 §3.2.2)', REG_NAME, new RegExp(`[${unreserved}${subDelims}]`)],
    ['the tail of IPvFuture (RFC 3986 §3.2.2)', IP_FUTURE, new RegExp(`[${unreserved}${subDelims}:]`)],
    ['scheme (RFC 3986 §3.1)', SCHEME, /[A-Za-z0-9+\-.]/],
    ['field-vchar, SP and HTAB (RFC 9110 §5.5)', FIELD_VALUE, /[\t\x20-\x7e\x80-\xff]/],
    ['qdtext (RFC 9110 §5.6.4)', QUOTED_TEXT, /[\t\x20-\x21\x23-\x5b\x5d-\x7e\x80-\xff]/],
  ])('%s', (_name, table, expression) => {
    expect(table).toHaveLength(256);
    const wrong = Array.from(table).flatMap((value, byte) => {
      const expected = expression.test(String.fromCharCode(byte)) ? 1 : 0;
      return value === expected ? [] : [`\\x${byte.toString(16)} is ${value}`];
    });
    expect(wrong).toEqual([]);
  });

  test('digits and hexadecimal digits', () => {
    for (let byte = 0; byte < 256; byte++) {
      const letter = String.fromCharCode(byte);
      const hex = /[0-9A-Fa-f]/.test(letter) ? Number.parseInt(letter, 16) : -1;
      expect([byte, isDigit(byte), HEX_VALUE[byte]]).toEqual([byte, /[0-9]/.test(letter), hex]);
    }
  });
});

describe('a word, ignoring case', () => {
  const equals = (text: string, word: string) => {
    const { bytes, start, end } = framed(text);
    return equalsIgnoringCase(bytes, start, end, word);
  };

  test.each([
    ['chunked', true],
    ['CHUNKED', true],
    ['ChUnKeD', true],
    ['chunke', false],
    ['chunkedx', false],
    ['', false],
    ['chunkeD\0', false],
    // One bit away from a letter, which a careless comparison would miss.
    ['\x03hunked', false],
    ['chunke\x84', false],
    ['CHUNKE\xc4', false],
  ])('%j is "chunked": %s', (text, is) => {
    expect(equals(text, 'chunked')).toBe(is);
  });

  test('is not confused by characters that differ by the same bit as upper and lower case', () => {
    // "_" and DEL, "-" and CR, "@" and "`" differ by the bit that makes letters lower case.
    expect(equals('keep\ralive', 'keep-alive')).toBe(false);
    expect(equals('content_length', 'content-length')).toBe(false);
    expect(equals('@', '`')).toBe(false);
  });
});

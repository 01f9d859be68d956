/** Random changes: bits, pieces, numbers, and words that the parser looks for. */
import type { Random } from './random.ts';

const WORDS = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '"',
  '\\',
  '%',
  '%4',
  '/',
  '*',
  '0',
  'ffffffffffffffff',
  'HTTP/1.1',
  'HTTP/1.0',
  'Host: a\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'Expect: 100-continue\r\n',
  '0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  '\0',
  'é',
  '\u007f',
];

/** At most this long, so that a run stays quick. */
const MAX_LENGTH = 2048;

export function mutate(random: Random, text: string, other: string): string {
  let result = text;
  for (let count = 1 + random.below(random.oneIn(4) ? 8 : 2); count > 0; count--) result = once(random, result, other);
  return result.length > MAX_LENGTH ? result.slice(0, MAX_LENGTH) : result;
}

function once(random: Random, text: string, other: string): string {
  const at = random.below(text.length + 1);
  const length = 1 + random.below(random.oneIn(4) ? 64 : 4);
  switch (random.below(8)) {
    case 0: {
      const byte = (text.charCodeAt(at) || 0) ^ (1 << random.below(8));
      return text.slice(0, at) + String.fromCharCode(byte & 0xff) + text.slice(at + 1);
    }
    case 1:
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at + length);
    case 3:
      return text.slice(0, at) + text.slice(at, at + length).repeat(1 + random.below(4)) + text.slice(at);
    case 4:
      return text.slice(0, at) + random.pick(WORDS) + text.slice(at);
    case 5:
      return text.slice(0, at) + random.pick(WORDS) + text.slice(at + length);
    case 6: {
      const from = random.below(other.length + 1);
      return text.slice(0, at) + other.slice(from, from + random.below(200));
    }
    default: {
      const from = random.below(text.length + 1);
      return text.slice(0, at) + text.slice(from, from + length) + text.slice(at + length);
    }
  }
}

import { describe, expect, test } from 'vitest';
import { HpackDecoder } from '../../src/http2/hpack-decoder.ts';
import { encodeFields } from '../../src/http2/hpack-encoder.ts';

const LIMITS = { maxSize: 16_384, maxCount: 100 };
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

function read(decoder: HpackDecoder, bytes: Buffer): string {
  return decoder.read(bytes, 0, bytes.length) ? decoder.fields.join('|') : 'broken';
}

/** RFC 7541 Appendix C: sections of one connection, in order. */
const EXAMPLES: readonly (readonly [name: string, sections: readonly (readonly [bytes: string, fields: string])[]])[] =
  [
    [
      'C.2 one field a time',
      [
        ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', 'custom-key|custom-header'],
        ['040c 2f73 616d 706c 652f 7061 7468', ':path|/sample/path'],
        ['1008 7061 7373 776f 7264 0673 6563 7265 74', 'password|secret'],
        ['82', ':method|GET'],
      ],
    ],
    [
      'C.4 requests with Huffman code',
      [
        ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', ':method|GET|:scheme|http|:path|/|:authority|www.example.com'],
        [
          '8286 84be 5886 a8eb 1064 9cbf',
          ':method|GET|:scheme|http|:path|/|:authority|www.example.com|cache-control|no-cache',
        ],
        [
          '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
          ':method|GET|:scheme|https|:path|/index.html|:authority|www.example.com|custom-key|custom-value',
        ],
      ],
    ],
  ];

describe('reads the examples of RFC 7541', () => {
  test.each(EXAMPLES)('%s', (_name, sections) => {
    const decoder = new HpackDecoder(LIMITS);
    for (const [bytes, fields] of sections) expect(read(decoder, hex(bytes))).toBe(fields);
  });
});

test('forgets the oldest entries when the table is full (§4.4), and all of them when it becomes 0 (§4.2)', () => {
  const decoder = new HpackDecoder(LIMITS);
  // Each takes 1 + 1000 + 32 bytes of 4096.
  for (const name of ['a', 'b', 'c', 'd']) {
    const entry = Buffer.concat([hex('4001'), Buffer.from(name), hex('7fe906'), Buffer.alloc(1000, name)]);
    expect(read(decoder, entry)).toBe(`${name}|${name.repeat(1000)}`);
  }
  expect(read(decoder, hex('be'))).toBe(`d|${'d'.repeat(1000)}`);
  expect(read(decoder, hex('c0'))).toBe(`b|${'b'.repeat(1000)}`);
  expect(read(decoder, hex('c1'))).toBe('broken');
  const other = new HpackDecoder(LIMITS);
  expect(read(other, hex('4001 6101 62'))).toBe('a|b');
  expect(read(other, hex('20 be'))).toBe('broken');
});

test('reads what is beyond the limits, so that later sections are understood, but keeps none of it', () => {
  const decoder = new HpackDecoder({ maxSize: 16_384, maxCount: 2 });
  const three = Buffer.concat([hex('4001 6101 62'), hex('4001 6301 64'), hex('4001 6501 66')]);
  expect(read(decoder, three)).toBe('a|b|c|d');
  expect(decoder.isTooLarge).toBe(true);
  expect(read(decoder, hex('be bf'))).toBe('e|f|c|d');
  expect(decoder.isTooLarge).toBe(false);
});

test('ends with any bytes, and never reads beyond them', () => {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  };
  const decoder = new HpackDecoder(LIMITS);
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.alloc(1 + (random() % 24), 0xff);
    for (let at = 0; at < bytes.length; at++) bytes[at] = random();
    const whole = Buffer.concat([bytes, Buffer.from('\x04secret')]);
    if (decoder.read(whole, 0, bytes.length)) expect(decoder.fields.join('')).not.toContain('secret');
  }
});

test('what is written is read as it was, and depends on nothing before it', () => {
  const fields = [':status', 200, 'content-type', 'text/html', 'x-long', 'y'.repeat(70_000), 'etag', '"é"', 'vary', ''];
  const section = encodeFields(fields);
  const decoder = new HpackDecoder({ maxSize: 100_000, maxCount: 100 });
  for (let round = 0; round < 2; round++) expect(read(decoder, section)).toBe(fields.join('|'));
});

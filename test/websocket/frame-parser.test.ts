import { describe, expect, test } from 'vitest';
import { FrameEvent, FrameParser } from '../../src/websocket/frame-parser.ts';
import { clientFrame, closeFrame, type FrameOptions, fragments } from './frames.ts';

const MAX = 1 << 20;

interface ParserOptions {
  readonly max?: number;
  readonly allowsDeflate?: boolean;
}

/** What the parser finds in pieces, in words. */
function parse(pieces: readonly Buffer[], { max = MAX, allowsDeflate = false }: ParserOptions = {}): string[] {
  const parser = new FrameParser(max, allowsDeflate);
  const found: string[] = [];
  for (const piece of pieces) {
    // The parser changes what it reads.
    const bytes = Buffer.from(piece);
    let at = 0;
    while (at < bytes.length) {
      const event = parser.read(bytes, at, bytes.length);
      at = parser.position;
      const payload = parser.payload.subarray(parser.start, parser.end);
      if (event === FrameEvent.needMore) break;
      if (event === FrameEvent.failed) return [...found, `failed ${parser.closeCode}`];
      if (event === FrameEvent.message) {
        const kind = `${parser.isCompressed ? 'compressed ' : ''}${parser.isText ? 'text' : 'binary'}`;
        found.push(`${kind} ${parser.isText && !parser.isCompressed ? payload.toString() : payload.toString('hex')}`);
        if (parser.isText && !parser.isCompressed) {
          const isAscii = payload.every((byte) => byte < 0x80);
          expect(parser.isAscii && !isAscii, 'a text that is called ASCII is ASCII').toBe(false);
        }
      }
      if (event === FrameEvent.ping) found.push(`ping ${payload.toString()}`);
      if (event === FrameEvent.pong) found.push(`pong ${payload.toString()}`);
      if (event === FrameEvent.close) found.push(`close ${parser.closeCode} ${payload.toString()}`);
    }
  }
  return found;
}

/** The same at every cut in two (some cuts, for long ones) and in small pieces. */
function expectEverywhere(bytes: Buffer, expected: readonly string[], options?: ParserOptions): void {
  expect(parse([bytes], options), 'whole').toEqual(expected);
  const cuts = bytes.length < 2000 ? 1 : Math.ceil(bytes.length / 17);
  for (let cut = 1; cut < bytes.length; cut += cuts)
    expect(parse([bytes.subarray(0, cut), bytes.subarray(cut)], options), `cut at ${cut}`).toEqual(expected);
  expect(
    parse(
      [...bytes].map((byte) => Buffer.from([byte])),
      options,
    ),
    'byte by byte',
  ).toEqual(expected);
}

describe('a frame parser', () => {
  const hello = Buffer.from('818537fa213d7f9f4d5158', 'hex');

  test('reads the masked "Hello" of RFC 6455 §5.7', () => expectEverywhere(hello, ['text Hello']));

  test('reads a fragmented message with a ping in its middle (RFC 6455 §5.4)', () => {
    const bytes = Buffer.concat([clientFrame(0x01, 'Hel'), clientFrame(0x89, 'now'), clientFrame(0x80, 'lo')]);
    expectEverywhere(bytes, ['ping now', 'text Hello']);
  });

  test.each([0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 125, 126, 127, 128, 1000])('reads binary of %i bytes', (length) => {
    const payload = Buffer.alloc(length);
    for (let at = 0; at < length; at++) payload[at] = (at * 7 + 3) & 0xff;
    expectEverywhere(clientFrame(0x82, payload), [`binary ${payload.toString('hex')}`]);
  });

  test.each([65535, 65536, 70000])('reads binary of %i bytes', (length) => {
    const payload = Buffer.alloc(length, 0xa5);
    const frame = clientFrame(0x82, payload, { key: Buffer.from([1, 2, 3, 4]) });
    expectEverywhere(frame, [`binary ${payload.toString('hex')}`]);
  });

  test('reads several frames in one piece, at any offset', () => {
    const frames = ['a', 'bc', 'def', 'ghij', 'klmno'].map((text) => clientFrame(0x81, text.repeat(9)));
    const expected = ['a', 'bc', 'def', 'ghij', 'klmno'].map((text) => `text ${text.repeat(9)}`);
    expectEverywhere(Buffer.concat(frames), expected);
  });

  test('unmasks a large read buffer in words at every offset and length', () => {
    const buffer = Buffer.alloc(64 * 1024);
    for (let offset = 0; offset < 8; offset++) {
      for (let length = 0; length < 24; length++) {
        const payload = Buffer.from(Array.from({ length }, (_, at) => (at * 31 + offset) & 0xff));
        const frame = clientFrame(0x82, payload);
        frame.copy(buffer, offset);
        const parser = new FrameParser(MAX, false);
        expect(parser.read(buffer, offset, offset + frame.length)).toBe(FrameEvent.message);
        expect(parser.payload.subarray(parser.start, parser.end)).toEqual(payload);
      }
    }
  });

  test('reads empty fragments', () => {
    expectEverywhere(fragments(1, ['', '', '']), ['text ']);
    expectEverywhere(fragments(2, ['', 'a', '', 'b', '']), ['binary 6162']);
  });

  test('reads a compressed message, fragmented and not, as it is', () => {
    const expected = ['compressed text f248cdc9c90700'];
    const payload = Buffer.from('f248cdc9c90700', 'hex');
    expectEverywhere(clientFrame(0xc1, payload), expected, { allowsDeflate: true });
    const cut = fragments(1, [payload.subarray(0, 3), payload.subarray(3)], 0x40);
    expectEverywhere(cut, expected, { allowsDeflate: true });
  });

  test('reads close frames', () => {
    expectEverywhere(clientFrame(0x88), ['close 1005 ']);
    expectEverywhere(closeFrame(1000, 'bye'), ['close 1000 bye']);
    expectEverywhere(closeFrame(4999, 'ü'.repeat(61)), [`close 4999 ${'ü'.repeat(61)}`]);
  });

  test.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])(
    'takes the close code %i',
    (code) => expectEverywhere(closeFrame(code), [`close ${code} `]),
  );

  test.each([0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])(
    'refuses the close code %i',
    (code) => expectEverywhere(closeFrame(code), ['failed 1002']),
  );
});

describe('a frame parser refuses', () => {
  const cases: readonly (readonly [name: string, bytes: Buffer, code: number, options: ParserOptions])[] = [
    ['a frame without mask', clientFrame(0x81, 'a', { isMasked: false }), 1002, {}],
    ['RSV1 without an extension', clientFrame(0xc1, 'a'), 1002, {}],
    ['RSV2', clientFrame(0xa1, 'a'), 1002, { allowsDeflate: true }],
    ['RSV3', clientFrame(0x91, 'a'), 1002, { allowsDeflate: true }],
    ['RSV1 on a control frame', clientFrame(0xc9, 'a'), 1002, { allowsDeflate: true }],
    [
      'RSV1 on a continuation',
      Buffer.concat([clientFrame(0x41, 'a'), clientFrame(0xc0, 'b')]),
      1002,
      { allowsDeflate: true },
    ],
    ['a ping in fragments', clientFrame(0x09, 'a'), 1002, {}],
    ['a close frame in fragments', clientFrame(0x08), 1002, {}],
    ['a ping of 126 bytes', clientFrame(0x89, 'a'.repeat(126)), 1002, {}],
    ['a close frame of one byte', clientFrame(0x88, 'a'), 1002, {}],
    ['a close reason that is not UTF-8', closeFrame(1000, Buffer.from([0xc3, 0x28])), 1007, {}],
    ['a length of 125 in 16 bits', clientFrame(0x82, Buffer.alloc(125), { lengthBytes: 2 }), 1002, {}],
    ['a length of 65535 in 64 bits', clientFrame(0x82, Buffer.alloc(65535), { lengthBytes: 8 }), 1002, {}],
    ['a continuation of nothing', clientFrame(0x80, 'a'), 1002, {}],
    ['a second continuation of nothing', Buffer.concat([clientFrame(0x89, 'x'), clientFrame(0x00, 'a')]), 1002, {}],
    ['a message in a message', Buffer.concat([clientFrame(0x01, 'a'), clientFrame(0x81, 'b')]), 1002, {}],
    ['a frame above the limit', clientFrame(0x82, '', { length: 11 }), 1009, { max: 10 }],
    [
      'fragments above the limit',
      Buffer.concat([clientFrame(0x02, 'abcdef'), clientFrame(0x80, 'abcde')]),
      1009,
      { max: 10 },
    ],
    ['a length of 2^53', clientFrame(0x82, '', { length: 2 ** 53 }), 1009, {}],
  ];
  test.each(cases)('%s', (_name, bytes, code, options) => {
    const expected = parse([bytes], options);
    expect(expected.at(-1)).toBe(`failed ${code}`);
    expectEverywhere(bytes, expected, options);
  });

  test.each([3, 4, 5, 6, 7, 11, 12, 13, 14, 15])('the reserved opcode %i', (opcode) =>
    expectEverywhere(clientFrame(0x80 | opcode), ['failed 1002']),
  );

  test('a length that is not in the shortest form before any payload has arrived', () => {
    const options: FrameOptions = { lengthBytes: 8, length: 100 };
    expect(parse([clientFrame(0x82, '', options).subarray(0, 10)])).toEqual(['failed 1002']);
  });

  test('a 64-bit length with its top bit set at its first byte', () => {
    expect(parse([Buffer.from([0x82, 0xff, 0x80])])).toEqual(['failed 1002']);
  });

  test('a frame that is too long before allocating memory for it', () => {
    expect(parse([clientFrame(0x82, '', { length: 2 ** 40 }).subarray(0, 10)])).toEqual(['failed 1009']);
  });
});

describe('a text', () => {
  const good = [
    'κόσμε',
    '\u0000',
    '\u0080',
    '\u0800',
    '\u{10000}',
    '\u007f',
    '\u07ff',
    '\uffff',
    '\u{10ffff}',
    '\ud7ff',
    '\ue000',
    '�',
  ];
  test.each(good)('that is UTF-8 is read: %j', (text) => {
    expectEverywhere(clientFrame(0x81, text), [`text ${text}`]);
    expectEverywhere(clientFrame(0x81, `${'ä'.repeat(70)}${text}${'日'.repeat(70)}`), [
      `text ${'ä'.repeat(70)}${text}${'日'.repeat(70)}`,
    ]);
    const bytes = Buffer.from(text);
    expectEverywhere(
      fragments(
        1,
        [...bytes].map((byte) => Buffer.from([byte])),
      ),
      [`text ${text}`],
    );
  });

  const bad = [
    'cebae1bdb9cf83cebcceb5eda080656469746564',
    'f8888080 80',
    'fc8480808080',
    'f7bfbfbf',
    'fbbfbfbfbf',
    'f4908080',
    'eda080',
    'edadbf',
    'edae80',
    'edafbf',
    'edb080',
    'edbfbf',
    'eda080edb080',
    '80',
    'bf',
    '80bf',
    'c0af',
    'e080af',
    'f08080af',
    'c1bf',
    'e09fbf',
    'f08fbfbf',
    'fe',
    'ff',
    'fefeffff',
    'c320',
    'e28228',
    'f0288cbc',
    'ce',
    'cebae1',
    'f0908d',
  ];
  test.each(bad)('that is not UTF-8 is refused: %s', (hex) => {
    const bytes = Buffer.from(hex.replace(' ', ''), 'hex');
    expectEverywhere(clientFrame(0x81, bytes), ['failed 1007']);
    expectEverywhere(clientFrame(0x81, Buffer.concat([Buffer.from('x'.repeat(80)), bytes])), ['failed 1007']);
    expectEverywhere(
      fragments(
        1,
        [...bytes].map((byte) => Buffer.from([byte])),
      ),
      ['failed 1007'],
    );
  });

  test('fails at the first invalid byte, within an unfinished frame', () => {
    // Autobahn 6.4: κόσμε, then U+110000, then "edited".
    const start = clientFrame(0x81, Buffer.from('cebae1bdb9cf83cebcceb5f4908080656469746564', 'hex'));
    const header = 6;
    expect(parse([start.subarray(0, header + 12)])).toEqual([]);
    expect(parse([start.subarray(0, header + 13)])).toEqual(['failed 1007']);
    expect(parse([start.subarray(0, header + 12), start.subarray(header + 12, header + 13)])).toEqual(['failed 1007']);
  });

  test('fails at once in a fragment, not at the end of the message', () => {
    expect(parse([clientFrame(0x01, Buffer.from('cebae1bdb9cf83cebcceb5f490', 'hex'))])).toEqual(['failed 1007']);
  });
});

/**
 * What the Autobahn test suite requires of an echo server, in the order of its chapters 1 to 7, 9 and 10, from the rules in RFC
 * 6455. Each case is played whole and, if short, one byte at a time. The suite itself is in no registry that the project uses.
 */
import { describe, expect, test } from 'vitest';
import { FrameClient, say } from './frame-client.ts';
import { clientFrame, closeFrame, fragments } from './frames.ts';
import { ECHO, startSockets } from './start-sockets.ts';

/** What comes back until the server ends; a case that leaves the connection open closes it with 1000 at its end. */
async function play(bytes: Buffer, pieceLength: number): Promise<string[]> {
  const { port, errors } = await startSockets(ECHO);
  const client = await FrameClient.open(port);
  for (let at = 0; at < bytes.length; at += pieceLength) {
    client.send(bytes.subarray(at, at + pieceLength));
    if (pieceLength === 1) await new Promise((resolve) => setImmediate(resolve));
  }
  const frames = await client.end();
  expect(errors).toEqual([]);
  return frames.map(say);
}

const text = (payload: string | Buffer) => clientFrame(0x81, payload);
const binary = (payload: string | Buffer) => clientFrame(0x82, payload);
const ping = (payload: string | Buffer = '') => clientFrame(0x89, payload);
const pong = (payload: string | Buffer = '') => clientFrame(0x8a, payload);
const bye = closeFrame(1000);
const cut = (value: string, length: number) => {
  const bytes = Buffer.from(value);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += length) pieces.push(bytes.subarray(at, at + length));
  return pieces;
};
const hex = (value: string) => Buffer.from(value, 'hex');
const saidText = (value: string) => `text ${JSON.stringify(value)}`;
const saidBinary = (value: string | Buffer) => `binary ${Buffer.from(value).toString('hex')}`;
const saidPong = (value: string) => `pong ${JSON.stringify(value)}`;

type Case = readonly [name: string, bytes: Buffer | readonly Buffer[], expected: readonly string[]];

const FAILED = ['close 1002'];
const NOT_UTF8 = ['close 1007'];

const sizes = [0, 125, 126, 127, 128, 65_535, 65_536];

const chapters: Readonly<Record<string, readonly Case[]>> = {
  '1 framing': sizes.flatMap((length): Case[] => [
    [`a text of ${length} bytes`, [text('*'.repeat(length)), bye], [saidText('*'.repeat(length)), 'close 1000']],
    [
      `binary of ${length} bytes`,
      [binary(Buffer.alloc(length, 0xfe)), bye],
      [saidBinary(Buffer.alloc(length, 0xfe)), 'close 1000'],
    ],
  ]),
  '2 pings and pongs': [
    ['an empty ping', [ping(), bye], [saidPong(''), 'close 1000']],
    ['a ping with a text', [ping('Hello, world!'), bye], [saidPong('Hello, world!'), 'close 1000']],
    [
      'a ping with binary',
      [ping(hex('00fffefdfcfb00ff')), bye],
      [saidPong(hex('00fffefdfcfb00ff').toString()), 'close 1000'],
    ],
    ['a ping of 125 bytes', [ping('a'.repeat(125)), bye], [saidPong('a'.repeat(125)), 'close 1000']],
    ['a ping of 126 bytes', [ping('a'.repeat(126))], FAILED],
    ['unsolicited pongs', [pong(), pong('x'), ping('y'), bye], [saidPong('y'), 'close 1000']],
    [
      'ten pings',
      [...Array.from({ length: 10 }, (_, at) => ping(`payload-${at}`)), bye],
      [...Array.from({ length: 10 }, (_, at) => saidPong(`payload-${at}`)), 'close 1000'],
    ],
  ],
  '3 reserved bits': [1, 2, 3, 4, 5, 6, 7].flatMap((rsv): Case[] => [
    [`${rsv} in a text`, [text('a'), clientFrame(0x81 | (rsv << 4), 'b'), ping('c')], [saidText('a'), ...FAILED]],
    [`${rsv} in binary`, [clientFrame(0x82 | (rsv << 4), hex('00ff'))], FAILED],
    [`${rsv} in a ping`, [clientFrame(0x89 | (rsv << 4), 'a')], FAILED],
    [`${rsv} in a close frame`, [clientFrame(0x88 | (rsv << 4))], FAILED],
  ]),
  '4 opcodes': [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode): Case[] => [
    [`${opcode}, empty`, [clientFrame(0x80 | opcode)], FAILED],
    [`${opcode} after a text`, [text('a'), clientFrame(0x80 | opcode, 'b'), ping()], [saidText('a'), ...FAILED]],
  ]),
  '5 fragments': [
    ['a ping in fragments', [clientFrame(0x09, 'a'), clientFrame(0x80, 'b')], FAILED],
    ['a pong in fragments', [clientFrame(0x0a, 'a'), clientFrame(0x80, 'b')], FAILED],
    ['a text in two', [fragments(1, ['frag', 'ment']), bye], [saidText('fragment'), 'close 1000']],
    [
      'a text in two, a ping between them',
      [clientFrame(0x01, 'frag'), ping('p'), clientFrame(0x80, 'ment'), bye],
      [saidPong('p'), saidText('fragment'), 'close 1000'],
    ],
    ['a continuation of nothing, last', [clientFrame(0x80, 'a'), text('b')], FAILED],
    ['a continuation of nothing, not last', [clientFrame(0x00, 'a'), text('b')], FAILED],
    [
      'a continuation after a message has ended',
      [fragments(1, ['a', 'b']), clientFrame(0x80, 'c')],
      [saidText('ab'), ...FAILED],
    ],
    ['a message that begins within another', [clientFrame(0x01, 'a'), text('b')], FAILED],
    [
      'five fragments with pings among them, twice',
      [
        ...[1, 2].flatMap((turn) => [
          clientFrame(0x01, 'f1'),
          clientFrame(0x00, 'f2'),
          ping(`${turn}`),
          clientFrame(0x00, 'f3'),
          clientFrame(0x00, 'f4'),
          ping(`${turn}`),
          clientFrame(0x80, 'f5'),
        ]),
        bye,
      ],
      [...[1, 2].flatMap((turn) => [saidPong(`${turn}`), saidPong(`${turn}`), saidText('f1f2f3f4f5')]), 'close 1000'],
    ],
  ],
  '6 UTF-8': [
    ['empty fragments', [fragments(1, ['', '', '']), bye], [saidText(''), 'close 1000']],
    ['empty fragments about one', [fragments(1, ['', 'middle', '']), bye], [saidText('middle'), 'close 1000']],
    ['a text', [text('Hello-µ@ßöäüàá-UTF-8!!'), bye], [saidText('Hello-µ@ßöäüàá-UTF-8!!'), 'close 1000']],
    [
      'cut in a character',
      [fragments(1, cut('Hello-µ@ßöäüàá-UTF-8!!', 7)), bye],
      [saidText('Hello-µ@ßöäüàá-UTF-8!!'), 'close 1000'],
    ],
    ['in fragments of a byte', [fragments(1, cut('κόσμε', 1)), bye], [saidText('κόσμε'), 'close 1000']],
    ['a surrogate', [text(hex('cebae1bdb9cf83cebcceb5eda080656469746564'))], NOT_UTF8],
    [
      'a surrogate, in fragments of a byte',
      [fragments(1, cut('κόσμε', 1).concat([hex('ed'), hex('a0'), hex('80')]))],
      NOT_UTF8,
    ],
    // 6.4: the message never ends, but must still fail.
    [
      'a bad byte in the second of three fragments',
      [clientFrame(0x01, 'κόσμε'), clientFrame(0x00, hex('f4908080'))],
      NOT_UTF8,
    ],
    [
      'a bad byte in a frame that has not ended',
      [text(Buffer.concat([Buffer.from('κόσμε'), hex('f490'), Buffer.alloc(50)])).subarray(0, 6 + 13)],
      NOT_UTF8,
    ],
    ...[
      'f0908d',
      'f7bfbfbf',
      'f8888080 80',
      'fbbfbfbfbf',
      'fc8480808080',
      'fdbfbfbfbfbf',
      'f4908080',
      '80',
      'bf',
      '80bf',
      '80bf80',
      '80bf80bf80bf',
      'c020c120',
      'e020e120',
      'f020f120',
      'fe',
      'ff',
      'feff',
      'c0',
      'e080',
      'f08080',
      'c0af',
      'e080af',
      'f08080af',
      'f8808080af',
      'fc80808080af',
      'c1bf',
      'e09fbf',
      'f08fbfbf',
      'f887bfbfbf',
      'fc83bfbfbfbf',
      'c080',
      'e08080',
      'f0808080',
      'eda080',
      'edadbf',
      'edae80',
      'edafbf',
      'edb080',
      'edbe80',
      'edbfbf',
      'eda080edb080',
      'edafbfedbfbf',
      'ce',
      'cebae1',
      'cebae1bdb9cf',
    ].map((bytes): Case => [`bad: ${bytes}`, [text(hex(bytes.replace(' ', '')))], NOT_UTF8]),
    ...[
      'f09f9880',
      '00',
      'c280',
      'e0a080',
      'f0908080',
      '7f',
      'dfbf',
      'efbfbf',
      'f48fbfbf',
      'ed9fbf',
      'ee8080',
      'efbfbd',
      'efbfbe',
      'f09fbfbe',
    ].map(
      (bytes): Case => [`good: ${bytes}`, [text(hex(bytes)), bye], [saidText(hex(bytes).toString()), 'close 1000']],
    ),
  ],
  '7 closing': [
    ['a message after the close frame', [text('a'), bye, text('b')], [saidText('a'), 'close 1000']],
    ['a ping after the close frame', [bye, ping()], ['close 1000']],
    ['two close frames', [bye, bye], ['close 1000']],
    ['a close frame within a message', [clientFrame(0x01, 'a'), bye, clientFrame(0x80, 'b')], ['close 1000']],
    ['a large message before', [text('a'.repeat(256 * 1024)), bye], [saidText('a'.repeat(256 * 1024)), 'close 1000']],
    ['no code', [clientFrame(0x88)], ['close']],
    ['half a code', [clientFrame(0x88, 'a')], FAILED],
    ['a reason', [closeFrame(1000, 'Hello')], ['close 1000']],
    ['the longest reason', [closeFrame(1000, '*'.repeat(123))], ['close 1000']],
    ['a reason that is too long', [closeFrame(1000, '*'.repeat(124))], FAILED],
    ['a reason that is not UTF-8', [closeFrame(1000, hex('cebae1bdb9cf83cebcceb5eda080656469746564'))], NOT_UTF8],
    ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map(
      (code): Case => [`the good code ${code}`, [closeFrame(code)], [`close ${code}`]],
    ),
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map(
      (code): Case => [`the bad code ${code}`, [closeFrame(code, 'reason')], FAILED],
    ),
  ],
  '9 and 10 large messages': [
    ['a text of 4 MiB', [text('*'.repeat(4 << 20)), bye], [saidText('*'.repeat(4 << 20)), 'close 1000']],
    [
      '1 MiB in fragments of 64 bytes',
      [fragments(2, cut('*'.repeat(1 << 20), 64)), bye],
      [saidBinary('*'.repeat(1 << 20)), 'close 1000'],
    ],
    [
      '4 MiB in fragments of 256 KiB',
      [fragments(1, cut('*'.repeat(4 << 20), 1 << 18)), bye],
      [saidText('*'.repeat(4 << 20)), 'close 1000'],
    ],
  ],
};

describe.each(Object.entries(chapters))('%s', (_chapter, cases) => {
  test.each(cases)('%s', async (_name, parts, expected) => {
    const bytes = Buffer.isBuffer(parts) ? parts : Buffer.concat(parts);
    expect(await play(bytes, bytes.length)).toEqual(expected);
    if (bytes.length < 200) expect(await play(bytes, 1), 'byte by byte').toEqual(expected);
  });
});

test('answers 10,000 messages in order', async () => {
  const { port } = await startSockets(ECHO);
  const client = await FrameClient.open(port);
  for (let at = 0; at < 10_000; at += 100) {
    client.send(Buffer.concat(Array.from({ length: 100 }, (_, index) => text(`message ${at + index}`))));
  }
  const frames = await client.frames(10_000);
  expect(frames.every(({ payload }, at) => payload.toString() === `message ${at}`)).toBe(true);
});

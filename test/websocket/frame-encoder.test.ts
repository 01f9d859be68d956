import { expect, test } from 'vitest';
import { closePayload } from '../../src/websocket/close-codes.ts';
import { encodeFrame, FirstByte, FrameWriter } from '../../src/websocket/frame-encoder.ts';
import { readServerFrames } from './frames.ts';

test('encodes the unmasked "Hello" of RFC 6455 §5.7', () => {
  expect(encodeFrame(FirstByte.text, 'Hello').toString('hex')).toBe('810548656c6c6f');
  expect(encodeFrame(FirstByte.pong, Buffer.from('Hello')).toString('hex')).toBe('8a0548656c6c6f');
});

const LENGTHS = [0, 1, 41, 42, 62, 63, 125, 126, 127, 300, 21_800, 65_535, 65_536, 70_000];

test.each(LENGTHS)('gives %i bytes or characters the shortest length', (length) => {
  const header = length < 126 ? 2 : length < 65536 ? 4 : 10;
  expect(encodeFrame(FirstByte.binary, Buffer.alloc(length)).length).toBe(header + length);
  for (const character of ['a', 'é', '日', '😀', '\ud800']) {
    const text = character.repeat(length);
    const { frames, rest } = readServerFrames(encodeFrame(FirstByte.text, text));
    expect(rest).toHaveLength(0);
    expect(frames[0]?.payload).toEqual(Buffer.from(text));
  }
});

test.each(LENGTHS)('a writer encodes %i bytes or characters alike, or has no room', (length) => {
  for (const character of ['a', 'é', '日', '😀']) {
    const text = character.repeat(length);
    const writer = new FrameWriter();
    const written = writer.text(FirstByte.text, text);
    const expected = encodeFrame(FirstByte.text, text);
    if (written < 0) {
      expect(3 * text.length + 10).toBeGreaterThan(64 * 1024);
      expect(writer.length).toBe(0);
      continue;
    }
    expect(written).toBe(Buffer.byteLength(text));
    expect(writer.take()).toEqual(expected);
  }
  const bytes = Buffer.alloc(length, 7);
  const writer = new FrameWriter();
  if (writer.frame(FirstByte.binary, bytes)) expect(writer.take()).toEqual(encodeFrame(FirstByte.binary, bytes));
  else expect(length).toBeGreaterThan(65_525);
});

test('a writer collects frames, and leaves what it has given away alone', () => {
  const writer = new FrameWriter();
  const given: [Buffer, Buffer][] = [];
  for (let turn = 0; turn < 50; turn++) {
    writer.text(FirstByte.text, `turn ${turn}`.repeat(300));
    writer.frame(FirstByte.binary, Buffer.from([turn]));
    writer.encoded(encodeFrame(FirstByte.ping, `${turn}`));
    const { length } = writer;
    const bytes = writer.take();
    expect(bytes).toHaveLength(length);
    given.push([bytes, Buffer.from(bytes)]);
    writer.giveAway(length);
  }
  for (const [bytes, copy] of given) expect(bytes).toEqual(copy);
});

test('a close reason is cut at a character', () => {
  expect(closePayload(1000, 'a'.repeat(200))).toHaveLength(125);
  expect(closePayload(1000, 'é'.repeat(100))).toHaveLength(124);
  expect(closePayload(1005, 'x')).toHaveLength(0);
});

/** Frames made, changed and cut at random from a seed: the parser ends in the same state however they were cut. */
import { describe, expect, test } from 'vitest';
import { FrameEvent, FrameParser } from '../../src/websocket/frame-parser.ts';
import { FrameClient, say } from './frame-client.ts';
import { clientFrame } from './frames.ts';
import { ECHO, startSockets } from './start-sockets.ts';

/** mulberry32: the same seed gives the same numbers everywhere. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

const FIRST = [0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a, 0x88, 0xc1, 0x41, 0x83, 0x91];
const LENGTHS = [0, 1, 2, 5, 63, 124, 125, 126, 127, 300, 4000];
const TEXTS = ['', 'a', 'κόσμε', '😀', 'plain ascii'];

function randomFrame(random: (below: number) => number): Buffer {
  // Mostly valid ones, because an invalid one ends it.
  const first = FIRST[random(random(4) === 0 ? FIRST.length : 8)] as number;
  const length = LENGTHS[random(LENGTHS.length)] as number;
  const isControl = (first & 8) !== 0;
  const text = (TEXTS[random(TEXTS.length)] as string).repeat(1 + random(20));
  const payload = random(2) === 0 ? Buffer.from(text) : Buffer.alloc(length, random(128));
  const key = Buffer.from([random(256), random(256), random(256), random(256)]);
  return clientFrame(first, isControl ? payload.subarray(0, random(20) === 0 ? 126 : 2) : payload, { key });
}

function randomStream(random: (below: number) => number): Buffer {
  const bytes = Buffer.concat(Array.from({ length: 1 + random(8) }, () => randomFrame(random)));
  if (random(3) === 0) bytes[random(bytes.length)] = random(256);
  return bytes;
}

/** The result of the pieces, including the total size of messages. */
function outcome(pieces: readonly Buffer[]): string[] {
  const parser = new FrameParser(10_000, true);
  const events: string[] = [];
  for (const piece of pieces) {
    const bytes = Buffer.from(piece);
    let at = 0;
    while (at < bytes.length) {
      const event = parser.read(bytes, at, bytes.length);
      at = parser.position;
      if (event === FrameEvent.needMore) break;
      if (event === FrameEvent.failed) return [...events, `failed ${parser.closeCode} ${parser.reason}`];
      const payload = parser.payload.toString('hex', parser.start, parser.end);
      events.push(
        [event, parser.isText, parser.isCompressed, event === FrameEvent.close ? parser.closeCode : '', payload].join(
          ' ',
        ),
      );
      expect(parser.end - parser.start).toBeLessThanOrEqual(10_200);
    }
  }
  return events;
}

describe('random frames', () => {
  test.each(Array.from({ length: 8 }, (_, seed) => seed + 1))(
    'have the same result however they are cut (seed %i)',
    (seed) => {
      const random = randomOf(seed);
      let failures = 0;
      for (let trial = 0; trial < 300; trial++) {
        const bytes = randomStream(random);
        const whole = outcome([bytes]);
        if (whole.at(-1)?.startsWith('failed')) failures++;
        for (let cuts = 0; cuts < 4; cuts++) {
          const places = Array.from({ length: 1 + random(6) }, () => random(bytes.length + 1)).sort((a, b) => a - b);
          const pieces = [0, ...places].map((place, at) => bytes.subarray(place, places[at] ?? bytes.length));
          expect(outcome(pieces), `seed ${seed}, trial ${trial}`).toEqual(whole);
        }
      }
      expect(failures).toBeGreaterThan(20);
      expect(failures).toBeLessThan(280);
    },
  );

  test('leave a server that serves the next client without an error', async () => {
    const { port, errors, sockets } = await startSockets({
      ...ECHO,
      perMessageDeflate: true,
      maxPayloadLength: 10_000,
    });
    const random = randomOf(99);
    for (let trial = 0; trial < 200; trial++) {
      const client = await FrameClient.open(port, 'Sec-WebSocket-Extensions: permessage-deflate\r\n');
      client.send(randomStream(random));
      client.socket.end();
      await client.end();
    }
    while (sockets.count > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual([]);
    const last = await FrameClient.open(port);
    last.send(clientFrame(0x81, 'alive'));
    expect(say(await last.frame())).toBe('text "alive"');
  });
});

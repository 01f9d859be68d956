/** The response parser with random input: however it is fed, the result must be the same. */
import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { readResponses } from '../http/read-response.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';

const SEEDS = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: x\r\n\r\nVrypt',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a="b"\r\nVry\r\n2\r\npt\r\n0\r\nA: b\r\n\r\n',
  'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nVrypt',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 \r\nConnection: close, x\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nframes',
];
const INPUTS = 5000;

test('the response parser gives the same result however it is fed', () => {
  const random = new Random(Number(process.env['FUZZ_SEED'] ?? 20261126));
  const kept = [...SEEDS];
  const outcomes = new Set<string>();
  for (let i = 0; i < INPUTS; i++) {
    const text = mutate(random, random.pick(kept), random.pick(kept));
    const bytes = Buffer.from(text, 'latin1');
    const options = {
      isToHead: random.oneIn(4),
      mayUpgrade: random.oneIn(2),
      ends: random.oneIn(2),
      maxHeaderSize: random.oneIn(4) ? 40 : 1000,
    };
    const whole = readResponses([bytes], options);
    const single = Array.from(bytes, (_byte, at) => bytes.subarray(at, at + 1));
    for (const pieces of [single, cutAtRandom(bytes, random)]) {
      expect({ text, lines: readResponses(pieces, options) }).toEqual({ text, lines: whole });
    }
    const shape = whole.map((line) => line.replace(/\d+/g, 'n')).join();
    if (outcomes.has(shape) || kept.length > 2000) continue;
    outcomes.add(shape);
    kept.push(text);
  }
  expect(outcomes.size).toBeGreaterThan(50);
});

function cutAtRandom(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random.below(20));
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

/** Any frames in any order, cut anywhere: no fault of ours, and nothing left of a connection. `FUZZ_SEED=n` tries others. */
import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import type { Call } from '../../src/engine/call.ts';
import { openHttp2 } from '../../src/engine/http2-connection.ts';
import { MemoryTransport } from '../../src/engine/memory-transport.ts';
import { StreamReply } from '../../src/engine/stream-reply.ts';
import { textAnswer } from '../../src/http/answer.ts';
import { Random } from '../fuzz/random.ts';
import { block, Flag, frame, GET, PREFACE, settings, Type } from './http2-frames.ts';
import { startEngine } from './start-engine.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const CONNECTIONS = Number(process.env['FUZZ_COUNT'] ?? 400);

function randomFrame(random: Random, next: { id: number }): Buffer {
  if (random.oneIn(3)) next.id += 2;
  const id = random.oneIn(8) ? random.below(12) : 1 + 2 * random.below(Math.max(1, (next.id + 1) / 2));
  const flags = random.oneIn(4) ? random.below(256) : Flag.endHeaders | random.below(2);
  const path = `/${random.pick(['', 'big', 'echo', 'stream', 'late'])}`;
  const fields = [...GET.filter(([name]) => name !== ':path'), [':path', path] as const];
  switch (random.below(14)) {
    case 0:
      return frame(Type.data, random.below(2), id, Buffer.alloc(random.below(2000), 'x'));
    case 1:
      return frame(Type.rstStream, 0, id, [0, 0, 0, random.below(14)]);
    case 2:
      return settings(
        [4, random.oneIn(3) ? random.below(2 ** 31) : random.below(70_000)],
        [1 + random.below(8), random.below(20_000)],
      );
    case 3:
      return frame(Type.windowUpdate, 0, random.below(2) * id, [0, 0, random.below(256), random.below(256)]);
    case 4:
      return frame(Type.ping, random.below(2), 0, Buffer.alloc(8));
    case 5:
      return frame(
        random.below(12),
        random.below(256),
        id,
        Buffer.from(Array.from({ length: random.below(20) }, () => random.below(256))),
      );
    case 6:
      return frame(Type.headers, random.below(2), id, block(...fields.slice(0, random.below(4))));
    case 7:
      return frame(Type.continuation, Flag.endHeaders, id, block(...fields.slice(random.below(4))));
    case 8:
      return frame(Type.goaway, 0, 0, Buffer.alloc(8));
    default:
      return frame(Type.headers, flags, id, block(...fields, ...(random.oneIn(4) ? [['x', 'y'] as const] : [])));
  }
}

test(`seed ${SEED}: ${CONNECTIONS} clients`, async () => {
  const big = textAnswer('b'.repeat(100_000));
  const handler = (call: Call) => {
    switch (call.path) {
      case '/big':
        return big;
      case '/echo':
        return call.body.text().then((text) => textAnswer(text));
      case '/stream':
        return new StreamReply(
          200,
          'OK',
          '',
          (async function* () {
            for (let at = 0; at < 20; at++) yield Buffer.alloc(at * 500);
          })(),
          null,
        );
      case '/late':
        return new Promise<typeof big>((resolve) => setImmediate(() => resolve(big)));
      default:
        return textAnswer('ok');
    }
  };
  const transport = new MemoryTransport();
  const { engine, errors } = await startEngine(() => transport, { openHttp2, handler });
  for (let count = 0; count < CONNECTIONS; count++) {
    const random = new Random(SEED * 100_003 + count);
    const client = transport.connect();
    const next = { id: -1 };
    const frames = Array.from({ length: 1 + random.below(60) }, () => randomFrame(random, next));
    const bytes = Buffer.concat([PREFACE, settings(), ...frames]);
    for (let at = 0; at < bytes.length && !client.isDestroyed; ) {
      const end = Math.min(bytes.length, at + 1 + random.below(random.oneIn(2) ? 20 : 3000));
      client.write(bytes.subarray(at, end));
      at = end;
      if (random.oneIn(10)) client.pause();
      if (random.oneIn(10)) client.resume();
      if (random.oneIn(4)) await new Promise((resolve) => setImmediate(resolve));
    }
    client.resume();
    await new Promise((resolve) => setImmediate(resolve));
    if (random.oneIn(2)) client.break();
    else client.end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual([]);
    expect([count, engine.connectionCount, engine.pendingRequests]).toEqual([count, 0, 0]);
  }
});

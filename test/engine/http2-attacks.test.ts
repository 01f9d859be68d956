/** Clients of HTTP/2 that want to cost more than they pay. Each ends, having cost little. */

import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import type { AnswerEnd, Call } from '../../src/engine/call.ts';
import { openHttp2 } from '../../src/engine/http2-connection.ts';
import { MemoryTransport } from '../../src/engine/memory-transport.ts';
import { type TransportSocket, WriteResult, type WriteResultValue } from '../../src/engine/transport.ts';
import { textAnswer } from '../../src/http/answer.ts';
import { block, Flag, FrameClient, frame, GET, get, PREFACE, settings, Type, text } from './http2-frames.ts';
import { startEngine, TRANSPORTS } from './start-engine.ts';

const MIB = 1024 * 1024;
const OK = textAnswer('ok');

describe.each(TRANSPORTS)('on the $transport transport', ({ open }) => {
  test('streams that are reset at once end the connection (CVE-2023-44487)', async () => {
    let calls = 0;
    const never = new Promise<never>(() => {});
    const handler = () => {
      calls++;
      return never;
    };
    const { port, engine } = await startEngine(open, { openHttp2, handler });
    const client = await FrameClient.connect(port);
    for (let at = 0; at < 5000 && !client.hasEnded; at++) {
      const stream = 2 * at + 1;
      client.send(get(stream), frame(Type.rstStream, 0, stream, [0, 0, 0, 8]));
      if (at % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await client.ended();
    expect(calls).toBeLessThan(1000);
    expect(engine.pendingRequests).toBe(0);
  });

  test('a header section without an end ends the connection (CVE-2024-27316)', async () => {
    const { port } = await startEngine(open, { openHttp2, handler: () => OK });
    const client = await FrameClient.connect(port);
    const before = process.memoryUsage().rss;
    client.send(frame(Type.headers, Flag.endStream, 1, block(...GET)));
    const piece = frame(Type.continuation, 0, 1, block(['x', 'y'.repeat(16_000)]));
    for (let at = 0; at < 5000 && !client.hasEnded; at++) {
      client.send(piece);
      if (at % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await client.ended();
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
  });

  test('continuations without content end the connection', async () => {
    const { port } = await startEngine(open, { openHttp2, handler: () => OK });
    const client = await FrameClient.connect(port);
    client.send(frame(Type.headers, Flag.endStream, 1, block(...GET)));
    for (let at = 0; at < 5000 && !client.hasEnded; at++) client.send(frame(Type.continuation, 0, 1));
    await client.ended();
  });

  test('a field that is referred to again and again is refused', async () => {
    let calls = 0;
    const handler = () => {
      calls++;
      return OK;
    };
    const { port } = await startEngine(open, { openHttp2, handler });
    const client = await FrameClient.connect(port);
    // Indexed once (RFC 7541 §6.2.1), then by one byte each: 4 KB and 2000 bytes would be 8 MB.
    const entry = Buffer.concat([Buffer.of(0x40), text('x'), text('y'.repeat(4000))]);
    const bomb = Buffer.concat([block(...GET), entry, Buffer.alloc(2000, 0xbe)]);
    client.send(frame(Type.headers, Flag.endStream | Flag.endHeaders, 1, bomb));
    expect(await client.until((seen) => seen.startsWith('rst 1') || seen.startsWith('goaway'))).toMatch(
      /ENHANCE_YOUR_CALM|ended after/,
    );
    expect(calls).toBe(0);
  });

  test('more fields than allowed are refused', async () => {
    const { port } = await startEngine(open, { openHttp2, handler: () => OK, limits: { maxHeaderCount: 20 } });
    const client = await FrameClient.connect(port);
    client.send(get(1, ...Array.from({ length: 30 }, (_, at) => [`x${at}`, 'y'] as const)));
    expect(await client.until((seen) => seen.startsWith('rst 1'))).toBe('rst 1 ENHANCE_YOUR_CALM');
    client.send(get(3));
    expect(await client.until((seen) => seen === 'end 3')).toBe('end 3');
  });

  test.each([
    ['pings', frame(Type.ping, 0, 0, Buffer.alloc(8))],
    ['settings', frame(Type.settings, 0, 0, [0, 4, 0, 0, 0xff, 0xff])],
  ])('%s whose answers are not read end the connection', async (_name, one) => {
    const { port } = await startEngine(open, { openHttp2, handler: () => OK });
    const client = await FrameClient.connect(port);
    client.socket.pause();
    const before = process.memoryUsage().rss;
    const many = Buffer.concat(Array.from({ length: 2000 }, () => one));
    for (let at = 0; at < 500 && !client.socket.destroyed && client.socket.writable; at++) {
      if (!client.socket.write(many)) {
        await Promise.race([
          new Promise((resolve) => client.socket.once('drain', resolve)),
          new Promise((resolve) => client.socket.once('close', resolve)),
        ]);
      }
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
  });

  test('a client that takes nothing of its answers is cut off', async () => {
    const big = textAnswer('x'.repeat(4 * MIB));
    const { port, engine } = await startEngine(open, {
      openHttp2,
      handler: () => big,
      limits: { sendTimeoutMs: 1000 },
    });
    const client = await FrameClient.connect(port);
    client.send(get(1));
    expect(await client.until((seen) => seen.startsWith('rst 1'))).toBe('rst 1 CANCEL');
    expect(engine.pendingRequests).toBe(0);
  });

  test('content that stops arriving is refused', async () => {
    const handler = async (call: { body: { text(): Promise<string> } }) => {
      await call.body.text();
      return OK;
    };
    const { port } = await startEngine(open, { openHttp2, handler: handler as never, limits: { bodyTimeoutMs: 1000 } });
    const client = await FrameClient.connect(port);
    client.send(frame(Type.headers, Flag.endHeaders, 1, block([':method', 'POST'], ...GET.slice(1))));
    expect(await client.until((seen) => seen === 'headers 1')).toBe('headers 1');
  });
});

test('a connection that breaks while an answer is written tells of that answer once', async () => {
  class Breaking extends MemoryTransport {
    override write(socket: TransportSocket, bytes: Buffer): WriteResultValue {
      return bytes.length > 1000 ? WriteResult.failed : super.write(socket, bytes);
    }
  }
  const transport = new Breaking();
  const big = textAnswer('x'.repeat(MIB));
  const told: boolean[] = [];
  const done = (_: Call, { isAborted }: AnswerEnd) => void told.push(isAborted);
  const { engine, errors } = await startEngine(() => transport, { openHttp2, handler: async () => big, done });
  const client = transport.connect();
  client.write(
    Buffer.concat([PREFACE, settings([4, 2 * MIB]), frame(Type.windowUpdate, 0, 0, [0, 0x20, 0, 0]), get(1)]),
  );
  while (engine.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(told).toHaveLength(1);
  expect(engine.pendingRequests).toBe(0);
  expect(errors).toEqual([]);
});

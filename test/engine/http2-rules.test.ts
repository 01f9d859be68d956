/** The rules of RFC 9113 that a client can break, and what it gets for it; frame by frame, on both transports. */
import { describe, expect, test } from 'vitest';
import { openHttp2 } from '../../src/engine/http2-connection.ts';
import { vrypt } from '../app.ts';
import { block, Flag, FrameClient, frame, GET, get, PREFACE, settings, Type } from './http2-frames.ts';
import { startEngine, TRANSPORTS } from './start-engine.ts';

const OPEN = frame(Type.headers, Flag.endHeaders, 1, block([':method', 'POST'], ...GET.slice(1)));
const with1 = (...fields: readonly (readonly [string, string])[]) =>
  frame(Type.headers, Flag.endStream | Flag.endHeaders, 1, block(...fields));

/** After the preface and settings. */
const CASES: readonly (readonly [rule: string, sent: readonly Buffer[], expected: string])[] = [
  ['§4.1 ignores frames of unknown types', [frame(0x42, 0, 0, [1, 2, 3]), get(1)], 'end 1'],
  ['§4.2 refuses a frame that is too large', [frame(Type.data, 0, 1, Buffer.alloc(16_385))], 'goaway FRAME_SIZE_ERROR'],
  ['§4.3 refuses an index beyond the tables', [frame(Type.headers, 5, 1, [0xff, 0x7f])], 'goaway COMPRESSION_ERROR'],
  ['§5.1 refuses content of an idle stream', [frame(Type.data, 0, 1, [1])], 'goaway PROTOCOL_ERROR'],
  ['§5.1 refuses a reset of an idle stream', [frame(Type.rstStream, 0, 1, [0, 0, 0, 8])], 'goaway PROTOCOL_ERROR'],
  ['§5.1.1 refuses even stream numbers', [get(2)], 'goaway PROTOCOL_ERROR'],
  ['§6.1 refuses content of stream 0', [frame(Type.data, 0, 0, [1])], 'goaway PROTOCOL_ERROR'],
  [
    '§6.1 refuses padding longer than the frame',
    [OPEN, frame(Type.data, Flag.padded, 1, [9, 1])],
    'goaway PROTOCOL_ERROR',
  ],
  ['§6.4 refuses a reset of another length', [OPEN, frame(Type.rstStream, 0, 1, [0])], 'goaway FRAME_SIZE_ERROR'],
  ['§6.5 refuses settings of a stream', [frame(Type.settings, 0, 1)], 'goaway PROTOCOL_ERROR'],
  ['§6.5 refuses settings of another length', [frame(Type.settings, 0, 0, [1])], 'goaway FRAME_SIZE_ERROR'],
  ['§6.5 refuses an acknowledgement with content', [frame(Type.settings, 1, 0, [0])], 'goaway FRAME_SIZE_ERROR'],
  ['§6.5.2 refuses a wrong ENABLE_PUSH', [settings([2, 2])], 'goaway PROTOCOL_ERROR'],
  ['§6.5.2 refuses a window that is too large', [settings([4, 0x80000000])], 'goaway FLOW_CONTROL_ERROR'],
  ['§6.5.2 refuses frames that are too small', [settings([5, 100])], 'goaway PROTOCOL_ERROR'],
  ['§6.5.2 ignores unknown settings', [settings([0x99, 1]), get(1)], 'end 1'],
  ['§6.6 refuses a push', [frame(Type.pushPromise, Flag.endHeaders, 1, [0, 0, 0, 2])], 'goaway PROTOCOL_ERROR'],
  ['§6.7 answers a ping', [frame(Type.ping, 0, 0, Buffer.from('12345678'))], 'ping 1 12345678'],
  ['§6.7 refuses a ping of another length', [frame(Type.ping, 0, 0, [1])], 'goaway FRAME_SIZE_ERROR'],
  ['§6.7 refuses a ping of a stream', [frame(Type.ping, 0, 1, Buffer.alloc(8))], 'goaway PROTOCOL_ERROR'],
  ['§6.9 refuses an increment of 0', [frame(Type.windowUpdate, 0, 0, [0, 0, 0, 0])], 'goaway PROTOCOL_ERROR'],
  [
    '§6.9.1 refuses a window beyond its limit',
    [frame(Type.windowUpdate, 0, 0, [0x7f, 0xff, 0xff, 0xff])],
    'goaway FLOW_CONTROL_ERROR',
  ],
  ['§6.10 refuses a continuation of nothing', [frame(Type.continuation, 4, 1)], 'goaway PROTOCOL_ERROR'],
  [
    '§6.10 refuses frames within a header section',
    [frame(Type.headers, Flag.endStream, 1, block(...GET)), frame(Type.ping, 0, 0, Buffer.alloc(8))],
    'goaway PROTOCOL_ERROR',
  ],
  [
    '§6.10 reads a header section in pieces',
    [
      frame(Type.headers, Flag.endStream, 1, block(...GET.slice(0, 2))),
      frame(Type.continuation, Flag.endHeaders, 1, block(...GET.slice(2))),
    ],
    'end 1',
  ],
  ['§8.1.1 refuses content shorter than announced', [with1(...GET, ['content-length', '3'])], 'rst 1 PROTOCOL_ERROR'],
  ['§8.2.1 refuses capital letters', [get(1, ['X-A', 'b'])], 'rst 1 PROTOCOL_ERROR'],
  ['§8.2.1 refuses a value with a line end', [get(1, ['x', 'a\r\nb: c'])], 'rst 1 PROTOCOL_ERROR'],
  ['§8.2.1 refuses a value that begins with a space', [get(1, ['x', ' a'])], 'rst 1 PROTOCOL_ERROR'],
  ['§8.2.2 refuses Connection', [get(1, ['connection', 'close'])], 'rst 1 PROTOCOL_ERROR'],
  ['§8.2.2 refuses Transfer-Encoding', [get(1, ['transfer-encoding', 'chunked'])], 'rst 1 PROTOCOL_ERROR'],
  ['§8.2.2 refuses another TE than trailers', [get(1, ['te', 'gzip'])], 'rst 1 PROTOCOL_ERROR'],
  ['§8.3 refuses unknown pseudo-fields', [with1(...GET, [':a', 'b'])], 'rst 1 PROTOCOL_ERROR'],
  [
    '§8.3 refuses pseudo-fields behind others',
    [with1(GET[0] as never, ['x', 'y'], ...GET.slice(1))],
    'rst 1 PROTOCOL_ERROR',
  ],
  ['§8.3 refuses a second method', [with1(...GET, [':method', 'GET'])], 'rst 1 PROTOCOL_ERROR'],
  ['§8.3.1 refuses a request without a method', [with1(...GET.slice(1))], 'rst 1 PROTOCOL_ERROR'],
  [
    '§8.3.1 refuses an empty path',
    [with1([':method', 'GET'], [':scheme', 'http'], [':path', '']), get(3)],
    'rst 1 PROTOCOL_ERROR',
  ],
];

describe.each(TRANSPORTS)('HTTP/2 on the $transport transport', ({ open }) => {
  test.each(CASES)('%s', async (_rule, sent, expected) => {
    const { port, errors } = await startEngine(open, { handler: vrypt, openHttp2 });
    const client = await FrameClient.connect(port);
    client.send(...sent);
    expect(await client.until((seen) => seen.startsWith(expected))).toContain(expected);
    expect(errors).toEqual([]);
  });

  test('§5.1.1 refuses a stream whose number goes back', async () => {
    const { port } = await startEngine(open, { openHttp2 });
    const client = await FrameClient.connect(port);
    client.send(get(5), get(3));
    expect(await client.until((seen) => seen.startsWith('goaway'))).toBe('goaway PROTOCOL_ERROR');
    expect(client.seen.filter((seen) => seen.includes(' 3'))).toEqual([]);
  });

  test('§3.4 refuses another preface', async () => {
    const { port } = await startEngine(open, { openHttp2 });
    const client = await FrameClient.connect(port, Buffer.concat([PREFACE.subarray(0, 20), Buffer.from('XXXX')]));
    await client.ended();
  });

  test('§3.4 reads a preface in pieces', async () => {
    const { port } = await startEngine(open, { openHttp2 });
    const client = await FrameClient.connect(port, PREFACE.subarray(0, 3));
    for (const byte of Buffer.concat([PREFACE.subarray(3), settings(), get(1)])) {
      client.send(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.until((seen) => seen === 'end 1')).toBe('end 1');
  });

  test('§5.1.2 refuses more streams at once than it allows', async () => {
    const never = new Promise<never>(() => {});
    const { port } = await startEngine(open, { openHttp2, handler: () => never });
    const client = await FrameClient.connect(port);
    client.send(...Array.from({ length: 101 }, (_, at) => get(2 * at + 1)));
    expect(await client.until((seen) => seen.startsWith('rst'))).toBe('rst 201 REFUSED_STREAM');
  });
});

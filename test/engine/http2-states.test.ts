/** What RFC 9113 and RFC 7541 say of frames at the wrong time, of windows, of trailers and of compression; frame by frame. */
import { describe, expect, test } from 'vitest';
import type { Call } from '../../src/engine/call.ts';
import { openHttp2 } from '../../src/engine/http2-connection.ts';
import { vrypt } from '../app.ts';
import { block, Flag, FrameClient, frame, GET, get, settings, Type, text } from './http2-frames.ts';
import { startEngine, TRANSPORTS } from './start-engine.ts';

const POST = [[':method', 'POST'] as const, ...GET.slice(1)];
const END = Flag.endStream | Flag.endHeaders;
const open = (stream: number, ...more: readonly (readonly [string, string])[]) =>
  frame(Type.headers, Flag.endHeaders, stream, block(...POST, ...more));
const data = (stream: number, content: string, flags: number = Flag.none) =>
  frame(Type.data, flags, stream, Buffer.from(content));
const raw = (...bytes: readonly Buffer[]) => frame(Type.headers, END, 1, Buffer.concat([block(...GET), ...bytes]));
const window = (stream: number, by: number) => {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(by);
  return frame(Type.windowUpdate, 0, stream, payload);
};

/** After the preface and settings: one of these answers. */
const CASES: readonly (readonly [rule: string, sent: readonly Buffer[], expected: RegExp])[] = [
  [
    '§5.1 half-closed: content after the end',
    [open(1), data(1, 'a', Flag.endStream), data(1, 'b')],
    /^(rst 1|goaway) STREAM_CLOSED/,
  ],
  [
    '§5.1 half-closed: a second head',
    [get(1), frame(Type.headers, END, 1, block(...GET))],
    /^(rst 1|goaway) STREAM_CLOSED/,
  ],
  [
    '§5.1 closed: content after a reset',
    [open(1), frame(Type.rstStream, 0, 1, [0, 0, 0, 8]), data(1, 'b'), frame(Type.ping, 0, 0, Buffer.alloc(8))],
    /^(goaway STREAM_CLOSED|rst 1 STREAM_CLOSED|ping)/,
  ],
  ['§5.1 idle: a window', [window(1, 1)], /^goaway PROTOCOL_ERROR/],
  ['§5.1 idle: a continuation', [frame(Type.continuation, 4, 1, block(...GET))], /^goaway PROTOCOL_ERROR/],
  ['§6.2 a head on stream 0', [frame(Type.headers, END, 0, block(...GET))], /^goaway PROTOCOL_ERROR/],
  [
    '§6.2 padding longer than the head',
    [frame(Type.headers, END | Flag.padded, 1, Buffer.concat([Buffer.of(255), block(...GET)]))],
    /^goaway PROTOCOL_ERROR/,
  ],
  [
    '§6.3 a priority of another length',
    [frame(Type.priority, 0, 1, Buffer.alloc(4))],
    /^(rst 1|goaway) FRAME_SIZE_ERROR/,
  ],
  ['§6.3 a priority is read', [frame(Type.priority, 0, 1, [0, 0, 0, 0, 15]), get(1)], /^end 1/],
  ['§6.4 a reset on stream 0', [frame(Type.rstStream, 0, 0, [0, 0, 0, 8])], /^goaway PROTOCOL_ERROR/],
  ['§6.8 a farewell on a stream', [frame(Type.goaway, 0, 1, Buffer.alloc(8))], /^goaway PROTOCOL_ERROR/],
  ['§6.9 an increment of 0 on a stream', [open(1), window(1, 0)], /^(rst 1|goaway) PROTOCOL_ERROR/],
  ['§6.9 a window of another length', [frame(Type.windowUpdate, 0, 0, [0, 0, 1])], /^goaway FRAME_SIZE_ERROR/],
  [
    '§6.9.1 the window of a stream beyond its limit',
    [open(1), window(1, 0x7fffffff)],
    /^(rst 1|goaway) FLOW_CONTROL_ERROR/,
  ],
  [
    '§6.10 a continuation on stream 0',
    [frame(Type.headers, Flag.endStream, 1, block(...GET)), frame(Type.continuation, 4, 0)],
    /^goaway PROTOCOL_ERROR/,
  ],
  [
    '§6.10 a continuation of another stream',
    [frame(Type.headers, Flag.endStream, 1, block(...GET)), frame(Type.continuation, 4, 3)],
    /^goaway PROTOCOL_ERROR/,
  ],
  [
    '§6.10 a continuation after the end',
    [get(1), frame(Type.continuation, 4, 1, block(['a', 'b']))],
    /^goaway PROTOCOL_ERROR/,
  ],
  ['§7 an unknown error', [open(1), frame(Type.rstStream, 0, 1, [0, 0, 0, 99]), get(3)], /^end 3/],
  [
    '§8.1 trailers without an end',
    [open(1), frame(Type.headers, Flag.endHeaders, 1, block(['a', 'b']))],
    /^(rst 1|goaway) PROTOCOL_ERROR/,
  ],
  [
    '§8.1 trailers with a pseudo-field',
    [open(1), frame(Type.headers, END, 1, block([':path', '/x']))],
    /^(rst 1|goaway) PROTOCOL_ERROR/,
  ],
  ['§8.1 trailers with an end', [open(1), data(1, 'a'), frame(Type.headers, END, 1, block(['a', 'b']))], /^end 1/],
  [
    '§8.1.1 content in pieces that is longer than announced',
    [open(1, ['content-length', '1']), data(1, 'a'), data(1, 'b', Flag.endStream)],
    /^(rst 1 PROTOCOL_ERROR|goaway)/,
  ],
  [
    '§8.1.1 content in pieces that is shorter',
    [open(1, ['content-length', '3']), data(1, 'a'), data(1, 'b', Flag.endStream)],
    /^rst 1 PROTOCOL_ERROR/,
  ],
  [
    '§8.1.1 two lengths',
    [open(1, ['content-length', '1'], ['content-length', '2']), data(1, 'a', Flag.endStream)],
    /^rst 1 PROTOCOL_ERROR/,
  ],
  ['§8.2.2 Keep-Alive', [get(1, ['keep-alive', 'timeout=5'])], /^rst 1 PROTOCOL_ERROR/],
  ['§8.2.2 Proxy-Connection', [get(1, ['proxy-connection', 'close'])], /^rst 1 PROTOCOL_ERROR/],
  ['§8.2.2 Upgrade', [get(1, ['upgrade', 'h2c'])], /^rst 1 PROTOCOL_ERROR/],
  ['§8.3 a field of responses', [get(1, [':status', '200'])], /^rst 1 PROTOCOL_ERROR/],
  ['§8.3.1 no scheme', [frame(Type.headers, END, 1, block(GET[0] as never, ...GET.slice(2)))], /^rst 1 PROTOCOL_ERROR/],
  [
    '§8.3.1 no path',
    [frame(Type.headers, END, 1, block(...GET.slice(0, 2), GET[3] as never))],
    /^rst 1 PROTOCOL_ERROR/,
  ],
  ['§8.3.1 two schemes', [get(1, [':scheme', 'http'])], /^rst 1 PROTOCOL_ERROR/],
  ['§8.3.1 two paths', [get(1, [':path', '/'])], /^rst 1 PROTOCOL_ERROR/],
  [
    '§8.5 CONNECT with a path',
    [frame(Type.headers, END, 1, block([':method', 'CONNECT'], ...GET.slice(1)))],
    /^(rst 1 PROTOCOL_ERROR|headers 1 [45])/,
  ],
  ['RFC 7541 §2.3.3 an index of 0', [raw(Buffer.of(0x80))], /^goaway COMPRESSION_ERROR/],
  ['RFC 7541 §4.2 a table size behind fields', [raw(Buffer.of(0x20))], /^goaway COMPRESSION_ERROR/],
  [
    'RFC 7541 §6.3 a table larger than allowed',
    [frame(Type.headers, END, 1, Buffer.concat([Buffer.of(0x3f, 0xe2, 0xff, 0x03), block(...GET)]))],
    /^goaway COMPRESSION_ERROR/,
  ],
  [
    'RFC 7541 §5.2 padding of Huffman code longer than 7 bits',
    [raw(Buffer.of(0), text('x'), Buffer.of(0x82, 0xff, 0xff))],
    /^goaway COMPRESSION_ERROR/,
  ],
  [
    'RFC 7541 §5.2 padding of Huffman code with zeros',
    [raw(Buffer.of(0), text('x'), Buffer.of(0x81, 0x00))],
    /^goaway COMPRESSION_ERROR/,
  ],
  [
    'RFC 7541 §5.1 a number without an end',
    [raw(Buffer.from([0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))],
    /^goaway COMPRESSION_ERROR/,
  ],
  ['RFC 7541 §5.2 a text longer than the head', [raw(Buffer.of(0, 100, 0x41))], /^goaway COMPRESSION_ERROR/],
];

describe.each(TRANSPORTS)('HTTP/2 on the $transport transport', ({ open: openTransport }) => {
  test.each(CASES)('%s', async (_rule, sent, expected) => {
    const { port, errors } = await startEngine(openTransport, { handler: vrypt, openHttp2 });
    const client = await FrameClient.connect(port);
    client.send(...sent);
    expect(await client.until((seen) => expected.test(seen))).toMatch(expected);
    expect(errors).toEqual([]);
  });

  /** §8.3.1: what names the host must be one thing, and a path a path. */
  test.each([
    ['two hosts', [[':authority', 'a'] as const, ['host', 'b'] as const]],
    ['two fields Host', [['host', 'a'] as const, ['host', 'b'] as const]],
    ['a user', [[':authority', 'user@a'] as const]],
    ['a host with a path', [[':authority', 'a/b'] as const]],
    ['a path without a slash', [[':path', 'x'] as const]],
    ['a path with a space', [[':path', '/a b'] as const]],
    ['a path with a fragment', [[':path', '/a#b'] as const]],
    ['a path with a line end', [[':path', '/a\r\nX: y'] as const]],
    ['a method with a space', [[':method', 'GET /'] as const]],
  ])('a request with %s does not reach a handler', async (_, fields) => {
    let calls = 0;
    const handler = (call: Call) => {
      calls++;
      return vrypt(call);
    };
    const { port } = await startEngine(openTransport, { openHttp2, handler });
    const client = await FrameClient.connect(port);
    const names: readonly string[] = fields.map(([name]) => name);
    const hasHost = names.includes('host');
    const usual = GET.filter(([name]) => !names.includes(name) && !(name === ':authority' && hasHost));
    client.send(frame(Type.headers, END, 1, block(...usual, ...fields)), get(3));
    expect(await client.until((seen) => seen === 'end 3' || seen.startsWith('goaway'))).toBe('end 3');
    expect(calls).toBe(1);
  });

  test.each([
    ['a b', 'c'],
    ['', 'c'],
    ['a:b', 'c'],
    ['x', 'a\0b'],
  ])('§8.2.1 a request with the field %j with the value %j does not reach a handler', async (name, value) => {
    let calls = 0;
    const handler = (call: Call) => {
      calls++;
      return vrypt(call);
    };
    const { port } = await startEngine(openTransport, { openHttp2, handler });
    const client = await FrameClient.connect(port);
    client.send(get(1, [name, value]), get(3));
    expect(await client.until((seen) => seen === 'end 3')).toBe('end 3');
    expect(client.seen).toContain('rst 1 PROTOCOL_ERROR');
    expect(calls).toBe(1);
  });

  test('§6.9.2 a window that becomes smaller than what was sent holds the answer back until it grows', async () => {
    const { port } = await startEngine(openTransport, { handler: vrypt, openHttp2 });
    const client = await FrameClient.connect(port);
    client.send(settings([4, 0]), get(1), frame(Type.ping, 0, 0, Buffer.from('12345678')));
    await client.until((seen) => seen.startsWith('ping'));
    expect(client.seen).not.toContain('end 1');
    client.send(settings([4, 100]));
    expect(await client.until((seen) => seen === 'end 1')).toBe('end 1');
  });
});

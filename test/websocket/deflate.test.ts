import { deflateRawSync, inflateRawSync, constants as zlibConstants } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Compressor, canKeepContext, Decompressor } from '../../src/websocket/deflate.ts';

const MAX = 1 << 20;
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const sync = { finishFlush: zlibConstants.Z_SYNC_FLUSH };

/** What a peer without a context reads. */
function inflateAlone(payload: Buffer): string {
  return inflateRawSync(Buffer.concat([payload, TAIL]), sync).toString();
}

function deflateAlone(text: string | Buffer): Buffer {
  return deflateRawSync(text, sync).subarray(0, -4);
}

function inflate(decompressor: Decompressor, payload: Buffer, max = MAX): string | number {
  const message = decompressor.decompress(payload, 0, payload.length, max);
  return typeof message === 'number' ? message : message.toString();
}

test('this Node has the zlib that keeping contexts requires', () => expect(canKeepContext).toBe(true));

describe.each([true, false])('compression, on the handle: %s', (isStreaming) => {
  test('compresses "Hello" as RFC 7692 §7.2.3.1 shows', () => {
    const compressor = new Compressor(15, 8, false, isStreaming);
    const expected = 'f248cdc9c90700';
    expect(Buffer.from(compressor.compress(Buffer.from('Hello'))).toString('hex')).toBe(expected);
    expect(Buffer.from(compressor.compress(Buffer.from('Hello'))).toString('hex')).toBe(expected);
    compressor.close();
  });

  test('reads the examples of RFC 7692 §7.2.3', () => {
    const decompressor = new Decompressor(15, false, isStreaming);
    expect(inflate(decompressor, Buffer.from('f248cdc9c90700', 'hex'))).toBe('Hello');
    // An uncompressed block, a block marked as the last, two blocks.
    expect(inflate(decompressor, Buffer.from('000500faff48656c6c6f00', 'hex'))).toBe('Hello');
    expect(inflate(decompressor, Buffer.from('f348cdc9c9070000', 'hex'))).toBe('Hello');
    expect(inflate(decompressor, Buffer.from('f248050000 00ffffcac9c90700'.replace(' ', ''), 'hex'))).toBe('Hello');
    expect(inflate(decompressor, Buffer.from('00', 'hex'))).toBe('');
    expect(inflate(decompressor, Buffer.alloc(0))).toBe('');
    decompressor.close();
  });

  test.each([1, 100, 65535, 65536, 300_000])(
    'makes of %i bytes what a peer reads, and reads what it makes',
    (length) => {
      const text = Array.from({ length }, (_, at) => String.fromCharCode(97 + ((at * at) % 23))).join('');
      const compressor = new Compressor(15, 8, false, isStreaming);
      const decompressor = new Decompressor(15, false, isStreaming);
      for (let turn = 0; turn < 3; turn++) {
        expect(inflateAlone(Buffer.from(compressor.compress(Buffer.from(text))))).toBe(text);
        expect(inflate(decompressor, deflateAlone(text))).toBe(text);
      }
      compressor.close();
      decompressor.close();
    },
  );

  test('a bomb is stopped at the limit, and the next message is read', () => {
    const decompressor = new Decompressor(15, false, isStreaming);
    const bomb = deflateAlone(Buffer.alloc(50 * MAX));
    expect(bomb.length).toBeLessThan(MAX / 10);
    const before = process.memoryUsage().arrayBuffers;
    expect(inflate(decompressor, bomb)).toBe(1009);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MAX);
    expect(inflate(decompressor, deflateAlone('a'.repeat(MAX)))).toBe('a'.repeat(MAX));
    expect(inflate(decompressor, deflateAlone('a'.repeat(MAX + 1)))).toBe(1009);
    expect(inflate(decompressor, deflateAlone('next'))).toBe('next');
    decompressor.close();
  });

  test('invalid data is 1007, and the next message is read', () => {
    const decompressor = new Decompressor(15, false, isStreaming);
    for (const nonsense of ['ffffff', '07', 'f248cdc9c9070007', '0001020304']) {
      expect(inflate(decompressor, Buffer.from(nonsense, 'hex')), nonsense).toBe(1007);
      expect(inflate(decompressor, deflateAlone('next'))).toBe('next');
    }
    decompressor.close();
  });
});

describe('with context', () => {
  test('a second message refers to the first (RFC 7692 §7.2.3.2)', () => {
    const compressor = new Compressor(15, 8, true);
    const decompressor = new Decompressor(15, true);
    const payloads = ['Hello', 'Hello', 'Hello, Hello'].map((text) =>
      Buffer.from(compressor.compress(Buffer.from(text))),
    );
    expect(payloads[0]?.toString('hex')).toBe('f248cdc9c90700');
    expect(payloads[1]?.toString('hex')).toBe('f200110000');
    expect(payloads.map((payload) => inflate(decompressor, payload))).toEqual(['Hello', 'Hello', 'Hello, Hello']);
    compressor.close();
    decompressor.close();
  });

  test.each([9, 10, 12, 15])('a window of %i bits is respected', (bits) => {
    const compressor = new Compressor(bits, 8, true);
    const decompressor = new Decompressor(bits, true);
    const text = Array.from({ length: 40_000 }, (_, at) => String.fromCharCode(97 + ((at * at) % 23))).join('');
    for (const message of [text, 'x', text, text.slice(7)]) {
      expect(inflate(decompressor, Buffer.from(compressor.compress(Buffer.from(message))))).toBe(message);
    }
    compressor.close();
    decompressor.close();
  });

  test('a message that ends its deflate stream is read, and one after it too (RFC 7692 §7.2.3.4)', () => {
    const decompressor = new Decompressor(15, true);
    expect(inflate(decompressor, Buffer.from('f348cdc9c9070000', 'hex'))).toBe('Hello');
    expect(inflate(decompressor, Buffer.from('f248cdc9c90700', 'hex'))).toBe('Hello');
    decompressor.close();
  });
});

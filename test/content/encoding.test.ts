import { Buffer } from 'node:buffer';
import * as zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { chooseEncoding, encodeNow, encodeOnce, encodeStream } from '../../src/content/encoding.ts';
import type { ContentCoding } from '../../src/content/negotiation.ts';
import { failingAfter, inPieces, whole } from './pieces.ts';

const TEXT = Buffer.from('Some text to compress, again and again. '.repeat(3000));
const DECODERS = { gzip: zlib.gunzipSync, br: zlib.brotliDecompressSync, zstd: zlib.zstdDecompressSync };

type Fields = readonly (readonly [string, string])[];

function choose(status: number, fields: Fields, length: number | null, acceptEncoding: string | null): string {
  const choice = chooseEncoding(status, fields, length, acceptEncoding);
  return [choice.coding, ...choice.fields.map(([name, value]) => `${name}: ${value}`)].join('\n');
}

describe('chooses', () => {
  const html: Fields = [['Content-Type', 'text/html; charset=utf-8']];
  const type = 'Content-Type: text/html; charset=utf-8';
  test.each<[string, number, Fields, number | null, string | null, string]>([
    ['zstd first', 200, html, 1000, 'gzip, br, zstd', `zstd\n${type}\nVary: Accept-Encoding\nContent-Encoding: zstd`],
    ['gzip', 200, html, null, 'gzip', `gzip\n${type}\nVary: Accept-Encoding\nContent-Encoding: gzip`],
    [
      'what weighs most',
      200,
      html,
      1000,
      'br;q=0.5, gzip',
      `gzip\n${type}\nVary: Accept-Encoding\nContent-Encoding: gzip`,
    ],
    ['nothing where nothing is asked for', 200, html, 1000, null, `identity\n${type}\nVary: Accept-Encoding`],
    ['nothing where none is taken', 200, html, 1000, '*;q=0', `identity\n${type}\nVary: Accept-Encoding`],
    ['nothing for small content', 200, html, 511, 'gzip', `identity\n${type}`],
    ['nothing for a 206', 206, html, 1000, 'gzip', `identity\n${type}`],
    ['nothing for a 304', 304, html, 1000, 'gzip', `identity\n${type}`],
    ['errors too', 404, html, 1000, 'gzip', `gzip\n${type}\nVary: Accept-Encoding\nContent-Encoding: gzip`],
    [
      'nothing twice',
      200,
      [...html, ['content-encoding', 'br']],
      1000,
      'gzip',
      `identity\n${type}\ncontent-encoding: br`,
    ],
    [
      'nothing with no-transform',
      200,
      [...html, ['Cache-Control', 'public,No-Transform']],
      1000,
      'gzip',
      `identity\n${type}\nCache-Control: public,No-Transform`,
    ],
    [
      'a weak tag, and no ranges',
      200,
      [...html, ['ETag', '"a"'], ['Accept-Ranges', 'bytes'], ['Content-Length', '1000']],
      1000,
      'gzip',
      `gzip\n${type}\nETag: W/"a"\nVary: Accept-Encoding\nContent-Encoding: gzip`,
    ],
    [
      'the tag as it is without a coding',
      200,
      [...html, ['ETag', '"a"']],
      1000,
      null,
      `identity\n${type}\nETag: "a"\nVary: Accept-Encoding`,
    ],
    [
      'Vary added to the existing value',
      200,
      [['vary', 'Origin'], ...html],
      1000,
      'gzip',
      `gzip\n${type}\nVary: Origin, Accept-Encoding\nContent-Encoding: gzip`,
    ],
    ['nothing without a type', 200, [], 1000, 'gzip', 'identity'],
  ])('%s', (_name, status, fields, length, acceptEncoding, expected) => {
    expect(choose(status, fields, length, acceptEncoding)).toBe(expected);
  });

  test.each([
    ['text/plain', true],
    ['TEXT/CSS;charset=utf-8', true],
    ['application/json', true],
    ['application/problem+json', true],
    ['image/svg+xml', true],
    ['application/wasm', true],
    ['text/event-stream', false],
    ['image/png', false],
    ['video/mp4', false],
    ['application/zip', false],
    ['application/gzip', false],
    ['font/woff2', false],
    ['application/octet-stream', false],
  ])('%s: %s', (type, isEncoded) => {
    expect(chooseEncoding(200, [['Content-Type', type]], 1000, 'gzip').coding).toBe(isEncoded ? 'gzip' : 'identity');
  });
});

describe.each<ContentCoding>(['gzip', 'br', 'zstd'])('%s', (coding) => {
  test('at once', () => {
    const encoded = encodeNow(TEXT, coding);
    expect(encoded.length).toBeLessThan(TEXT.length / 10);
    expect(DECODERS[coding](encoded).equals(TEXT)).toBe(true);
  });

  test('once, for content that is sent often', () => {
    const encoded = encodeOnce(TEXT, coding);
    expect(encodeOnce(TEXT, coding)).toBe(encoded);
    expect(DECODERS[coding](encoded).equals(TEXT)).toBe(true);
  });

  test.each([TEXT.length, 1000])('in pieces of %i bytes', async (size) => {
    const encoded = await whole(encodeStream(inPieces(TEXT, size), coding));
    expect(DECODERS[coding](encoded).equals(TEXT)).toBe(true);
  });

  test('nothing', async () => {
    const encoded = await whole(encodeStream(inPieces(Buffer.alloc(0)), coding));
    expect(DECODERS[coding](encoded)).toHaveLength(0);
  });

  test('a piece is sent before the next is available', async () => {
    let release = (): void => undefined;
    const waits = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first');
      await waits;
      yield Buffer.from('second');
    }
    const pieces = encodeStream(slow(), coding)[Symbol.asyncIterator]();
    const first = await pieces.next();
    expect(first.done).toBe(false);
    release();
    const rest: Uint8Array[] = [first.value as Uint8Array];
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) rest.push(next.value);
    expect(DECODERS[coding](Buffer.concat(rest)).toString()).toBe('firstsecond');
  });

  test('fails with its source, and abandons it when its reader stops', async () => {
    const error = new Error('gone');
    await expect(whole(encodeStream(failingAfter(TEXT, error), coding))).rejects.toBe(error);
    const source = inPieces(TEXT, 100);
    for await (const _piece of encodeStream(source, coding)) break;
    expect(source.state.isReturned).toBe(true);
  });
});

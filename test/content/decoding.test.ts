import { Buffer } from 'node:buffer';
import * as zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ContentError } from '../../src/content/content-error.ts';
import { decodeContent, decodeWhole, requestCodings } from '../../src/content/decoding.ts';
import { failingAfter, inPieces, whole } from './pieces.ts';

const TEXT = Buffer.from('A text that is long enough to be worth a coding. '.repeat(200));
const ENCODED: readonly (readonly [coding: string, content: Buffer])[] = [
  ['gzip', zlib.gzipSync(TEXT)],
  ['x-gzip', zlib.gzipSync(TEXT)],
  ['GZIP', Buffer.concat([zlib.gzipSync(TEXT.subarray(0, 100)), zlib.gzipSync(TEXT.subarray(100))])],
  ['deflate', zlib.deflateSync(TEXT)],
  ['deflate', zlib.deflateRawSync(TEXT)],
  ['br', zlib.brotliCompressSync(TEXT)],
  ['zstd', zlib.zstdCompressSync(TEXT)],
  ['gzip, br', zlib.brotliCompressSync(zlib.gzipSync(TEXT))],
  ['deflate, gzip', zlib.gzipSync(zlib.deflateSync(TEXT))],
  ['identity', TEXT],
  ['', TEXT],
];

const fault = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof ContentError ? `${error.status} ${error.message}` : String(error)),
  );

describe.each(ENCODED)('%s', (coding, content) => {
  test.each([content.length, 1000, 7, 1])('in pieces of %i bytes', async (size) => {
    expect((await decodeWhole(inPieces(content, size), coding, TEXT.length)).equals(TEXT)).toBe(true);
  });

  test('is refused one byte above the limit', async () => {
    expect(await fault(decodeWhole(inPieces(content), coding, TEXT.length - 1))).toBe(
      `413 the content must be at most ${TEXT.length - 1} bytes`,
    );
  });

  test('an error of the source is passed on unchanged', async () => {
    const error = new Error('gone');
    await expect(whole(decodeContent(failingAfter(content.subarray(0, 20), error), coding, 1e6))).rejects.toBe(error);
  });
});

describe.each(ENCODED.slice(0, 9))('%s', (coding, content) => {
  test('truncated content is refused', async () => {
    expect(await fault(decodeWhole(inPieces(content.subarray(0, -9), 50), coding, 1e6))).toMatch(
      /^400 the content is not valid /,
    );
  });

  test('corrupt content is refused', async () => {
    const corrupt = Buffer.from(content);
    corrupt.fill(0x55, 2, 12);
    expect(await fault(decodeWhole(inPieces(corrupt), coding, 1e6))).toMatch(/^400 the content is not valid /);
  });

  test('empty content stays empty', async () => {
    expect(await decodeWhole(inPieces(Buffer.alloc(0)), coding, 10)).toHaveLength(0);
  });
});

describe('bombs', () => {
  const zeros = Buffer.alloc(20 * 1024 * 1024);
  test.each<[string, Buffer]>([
    ['gzip', zlib.gzipSync(zeros)],
    ['br', zlib.brotliCompressSync(zeros, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } })],
    ['zstd', zlib.zstdCompressSync(zeros)],
    ['gzip, gzip', zlib.gzipSync(zlib.gzipSync(zeros))],
  ])('%s is given up at the limit, and its source is left', async (coding, content) => {
    const padding = Buffer.alloc(4 * 1024 * 1024);
    const source = inPieces(Buffer.concat([content, padding]), 16 * 1024);
    expect(await fault(decodeWhole(source, coding, 100_000))).toBe('413 the content must be at most 100000 bytes');
    expect(source.state.isReturned).toBe(true);
    expect(source.state.given).toBeLessThan(content.length + 512 * 1024);
  });

  test('a zstd frame may not ask for a window above 8 MiB', async () => {
    const params = { [zlib.constants.ZSTD_c_windowLog]: 24, [zlib.constants.ZSTD_c_compressionLevel]: 1 };
    const parts: Uint8Array[] = [];
    const encoder = zlib.createZstdCompress({ params });
    encoder.on('data', (piece: Buffer) => parts.push(piece));
    await new Promise((resolve) => encoder.end(zeros, () => encoder.on('end', resolve).resume()));
    expect(await fault(decodeWhole(inPieces(Buffer.concat(parts)), 'zstd', zeros.length))).toBe(
      '400 the content is not valid zstd',
    );
  });
});

test.each([
  [null, []],
  ['gzip', ['gzip']],
  ['gzip, br', ['br', 'gzip']],
  ['identity, gzip', ['gzip']],
  ['compress', null],
  ['gzip gzip', null],
  ['gzip, gzip, gzip', null],
])('the codings of %j are undone as %j', (field, codings) => {
  expect(requestCodings(field)).toEqual(codings);
});

test('an unknown coding is refused before anything is read', async () => {
  const source = inPieces(TEXT);
  expect(await fault(decodeWhole(source, 'lzma', 10))).toBe(
    '415 Content-Encoding must be one of gzip, deflate, br, zstd, got lzma',
  );
  expect(source.state.given).toBe(0);
});

test('nothing is read before it is asked for, and never all at once', async () => {
  const noise = Buffer.alloc(4 * 1024 * 1024);
  for (let i = 0; i < noise.length; i += 4) noise.writeUInt32LE(Math.imul(i, 0x9e3779b1) >>> 0, i);
  const source = inPieces(zlib.gzipSync(noise, { level: 1 }), 16 * 1024);
  const pieces = decodeContent(source, 'gzip', noise.length)[Symbol.asyncIterator]();
  expect(source.state.given).toBe(0);
  await pieces.next();
  await new Promise((resolve) => setImmediate(resolve));
  expect(source.state.given).toBeLessThan(512 * 1024);
  await pieces.return?.(undefined);
  expect(source.state.isReturned).toBe(true);
});

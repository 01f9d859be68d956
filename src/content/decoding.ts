/**
 * Decodes request content with a Content-Encoding (RFC 9110 §8.4) while it is read. A limit on the output stops
 * decompression bombs.
 */
import { Buffer } from 'node:buffer';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { ContentError } from './content-error.ts';
import { trimOws } from './field-syntax.ts';
import { through } from './through.ts';

/** Each coding multiplies the possible growth, and honest clients use one. */
const MAX_CODINGS = 2;
/** RFC 9659 §3 limits zstd windows in HTTP to 8 MiB. By default a frame could demand 128 MiB. */
const ZSTD_WINDOW_LOG = 23;
const HAS_ZSTD = typeof zlib.createZstdDecompress === 'function';

type RequestCoding = 'gzip' | 'deflate' | 'br' | 'zstd';

/** The Accept-Encoding field of a 415 (RFC 9110 §15.5.16). */
export const ACCEPTED_CODINGS: string = HAS_ZSTD ? 'gzip, deflate, br, zstd' : 'gzip, deflate, br';

/** The codings of a Content-Encoding field in the order of decoding. Null: one is not supported, or there are too many. */
export function requestCodings(contentEncoding: string | null): readonly RequestCoding[] | null {
  const codings: RequestCoding[] = [];
  for (const element of (contentEncoding ?? '').split(',')) {
    const name = trimOws(element).toLowerCase();
    if (name === '' || name === 'identity') continue;
    const coding = name === 'x-gzip' ? 'gzip' : name;
    if (!isKnown(coding) || codings.length === MAX_CODINGS) return null;
    codings.unshift(coding);
  }
  return codings;
}

/**
 * Decodes the content of `source`. Rejects with a `ContentError`: unsupported (415), malformed (400: corrupt or truncated) or
 * tooLarge (413: more than `maxBytes` of output). Errors of the source pass through. Returns the source when the reader stops.
 */
export async function* decodeContent(
  source: AsyncIterable<Uint8Array>,
  contentEncoding: string | null,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const codings = requestCodings(contentEncoding);
  if (codings === null) {
    throw new ContentError(
      'unsupported',
      `Content-Encoding must be one of ${ACCEPTED_CODINGS}, got ${contentEncoding}`,
      { fields: { 'Accept-Encoding': ACCEPTED_CODINGS } },
    );
  }
  let pieces = source;
  for (const coding of codings) pieces = undone(pieces, coding);
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > maxBytes) throw new ContentError('tooLarge', `the content must be at most ${maxBytes} bytes`);
    yield piece;
  }
}

/** Like `decodeContent`, collected in one buffer. */
export async function decodeWhole(
  source: AsyncIterable<Uint8Array>,
  contentEncoding: string | null,
  maxBytes: number,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  // Copied: the source may reuse its buffer.
  for await (const piece of decodeContent(source, contentEncoding, maxBytes)) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

/** Empty content passes: it has no coding that could be wrong. */
async function* undone(source: AsyncIterable<Uint8Array>, coding: RequestCoding): AsyncGenerator<Uint8Array> {
  const pieces = source[Symbol.asyncIterator]();
  let isLeft = true;
  try {
    let first = await pieces.next();
    while (first.done !== true && first.value.length === 0) first = await pieces.next();
    if (first.done === true) return;
    isLeft = false;
    const decoder = decoderFor(coding, first.value[0] as number);
    yield* through(withFirst(first.value, pieces), decoder, (error) => notValid(coding, error));
  } finally {
    if (isLeft) await pieces.return?.();
  }
}

function withFirst(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  let isFirst = true;
  const next = (): Promise<IteratorResult<Uint8Array>> => {
    if (!isFirst) return rest.next();
    isFirst = false;
    return Promise.resolve({ done: false, value: first });
  };
  const leave = (): Promise<IteratorResult<Uint8Array>> =>
    rest.return?.() ?? Promise.resolve({ done: true, value: undefined });
  return { [Symbol.asyncIterator]: () => ({ next, return: leave }) };
}

function notValid(coding: RequestCoding, cause: unknown): ContentError {
  return new ContentError('malformed', `the content is not valid ${coding}`, { cause });
}

function isKnown(coding: string): coding is RequestCoding {
  return coding === 'gzip' || coding === 'deflate' || coding === 'br' || (coding === 'zstd' && HAS_ZSTD);
}

function decoderFor(coding: RequestCoding, firstByte: number): Transform {
  switch (coding) {
    case 'gzip':
      return zlib.createGunzip();
    case 'deflate':
      // RFC 9110 §8.4.1.2 means the zlib format, but some clients send raw deflate.
      return (firstByte & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw();
    case 'br':
      return zlib.createBrotliDecompress();
    case 'zstd':
      return zlib.createZstdDecompress({ params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } });
  }
}

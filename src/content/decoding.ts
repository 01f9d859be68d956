/**
 * Request content with a Content-Encoding (RFC 9110 §8.4): decoded as it is read, within a limit on what comes out, so that a
 * small request cannot become a large one.
 */
import { Buffer } from 'node:buffer';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { ContentError } from './content-error.ts';
import { trimOws } from './field-syntax.ts';
import { through } from './through.ts';

/** Each coding multiplies what a byte can become; nobody honest uses two. */
const MAX_CODINGS = 2;
/** The window that RFC 9659 §3 lets a zstd frame for HTTP have: 8 MiB. Without it a frame can ask for 128. */
const ZSTD_WINDOW_LOG = 23;
const HAS_ZSTD = typeof zlib.createZstdDecompress === 'function';

type RequestCoding = 'gzip' | 'deflate' | 'br' | 'zstd';

/** What an answer 415 says in Accept-Encoding (RFC 9110 §15.5.16). */
export const ACCEPTED_CODINGS: string = HAS_ZSTD ? 'gzip, deflate, br, zstd' : 'gzip, deflate, br';

/**
 * The codings of the field in the order in which they are undone; [] for none; null: one that we do not have, or too many.
 */
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
 * The content that `source` gives, decoded. Rejects with a `ContentError`: unsupported (415), malformed (400: corrupt or cut off)
 * or too large (413: more than `maxBytes` come out). Errors of the source pass through; it is ended when nobody reads on.
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

/** All of it in one buffer; see `decodeContent`. */
export async function decodeWhole(
  source: AsyncIterable<Uint8Array>,
  contentEncoding: string | null,
  maxBytes: number,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  // A piece may be a view of a buffer that is used again.
  for await (const piece of decodeContent(source, contentEncoding, maxBytes)) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

/** Content of nothing has no coding to be wrong in. */
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
      // RFC 9110 §8.4.1.2 means the zlib format, but some clients have always sent deflate without it.
      return (firstByte & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw();
    case 'br':
      return zlib.createBrotliDecompress();
    case 'zstd':
      return zlib.createZstdDecompress({ params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } });
  }
}

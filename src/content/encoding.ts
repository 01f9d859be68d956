/**
 * Compresses answers on request of a handler: chooses the coding, adapts the fields, encodes the content. Small content is
 * encoded synchronously, streams and large content in the thread pool.
 */
import type { Buffer } from 'node:buffer';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { weaken } from './entity-tags.ts';
import { isCompressible } from './media-types.ts';
import { type ContentCoding, chooseCoding, codingWeights, withVary } from './negotiation.ts';
import { through } from './through.ts';

/** Up to this size the event loop is blocked for less time than the thread pool costs: 10 KB take 42 µs, in the pool 220. */
export const MAX_SYNC_BYTES: number = 64 * 1024;
/** Smaller content fits into one packet anyway. */
export const MIN_BYTES = 512;

/** Node 22 has zstd since 22.15. */
const HAS_ZSTD = typeof zlib.createZstdCompress === 'function';
/** Best first: at these levels zstd is the fastest; brotli is half as fast as gzip, but smaller. */
export const PREFERRED_CODINGS: readonly ContentCoding[] = HAS_ZSTD ? ['zstd', 'br', 'gzip'] : ['br', 'gzip'];
const GZIP_OPTIONS: zlib.ZlibOptions = { level: 3 };
const BROTLI_OPTIONS: zlib.BrotliOptions = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };

type FieldList = readonly (readonly [name: string, value: string])[];

export interface EncodingChoice {
  /** `identity`: send the content as it is. */
  readonly coding: ContentCoding | 'identity';
  /** The adapted fields. Vary is there even for `identity`, because the choice depended on the request. */
  readonly fields: FieldList;
}

/**
 * Chooses a coding for an answer of `length` bytes (null: unknown). Never compresses answers that already have a coding or a
 * range, are marked no-transform (RFC 9111 §5.2.2.6), carry no content, are small, or have a type that does not shrink.
 */
export function chooseEncoding(
  status: number,
  fields: FieldList,
  length: number | null,
  acceptEncoding: string | null,
): EncodingChoice {
  if (!mayEncode(status, fields, length)) return { coding: 'identity', fields };
  const coding = chooseCoding(codingWeights(acceptEncoding), PREFERRED_CODINGS) ?? 'identity';
  return { coding, fields: encodedFields(fields, coding) };
}

/** For content up to `MAX_SYNC_BYTES`. */
export function encodeNow(content: Uint8Array, coding: ContentCoding): Buffer {
  if (coding === 'br') return zlib.brotliCompressSync(content, BROTLI_OPTIONS);
  return coding === 'zstd' ? zlib.zstdCompressSync(content) : zlib.gzipSync(content, GZIP_OPTIONS);
}

/** For more than that: in the thread pool. */
export function encodeLater(content: Uint8Array, coding: ContentCoding): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const settle = (error: Error | null, encoded: Buffer) => (error === null ? resolve(encoded) : reject(error));
  if (coding === 'br') zlib.brotliCompress(content, BROTLI_OPTIONS, settle);
  else if (coding === 'zstd') zlib.zstdCompress(content, settle);
  else zlib.gzip(content, GZIP_OPTIONS, settle);
  return promise;
}

/** Content that is sent often, compressed once: a prepared answer, a page in memory. Forgotten with its content. */
const kept = new WeakMap<Uint8Array, Map<ContentCoding, Buffer>>();

/** Like `encodeNow`, but keeps the result as long as `content`, which must not be changed. */
export function encodeOnce(content: Uint8Array, coding: ContentCoding): Buffer {
  let codings = kept.get(content);
  if (codings === undefined) {
    codings = new Map();
    kept.set(content, codings);
  }
  let encoded = codings.get(coding);
  if (encoded === undefined) {
    encoded = encodeNow(content, coding);
    codings.set(coding, encoded);
  }
  return encoded;
}

/**
 * Compresses a stream. Flushes after each piece, so that output of a slow source is not held back. Fails with the source, and
 * returns it when the reader stops.
 */
export function encodeStream(source: AsyncIterable<Uint8Array>, coding: ContentCoding): AsyncIterable<Uint8Array> {
  return through(source, encoderFor(coding), (error) => error);
}

/** Flushes after each piece. */
export function encoderFor(coding: ContentCoding): Transform {
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = zlib.constants;
  if (coding === 'br') return zlib.createBrotliCompress({ ...BROTLI_OPTIONS, flush: BROTLI_OPERATION_FLUSH });
  if (coding === 'zstd') return zlib.createZstdCompress({ flush: ZSTD_e_flush });
  return zlib.createGzip({ ...GZIP_OPTIONS, flush: Z_SYNC_FLUSH });
}

/** As `chooseEncoding` decides it; `shrinks` says of a media type whether it does. */
export function mayEncode(
  status: number,
  fields: FieldList,
  length: number | null,
  minBytes: number = MIN_BYTES,
  shrinks: (type: string) => boolean = isCompressible,
): boolean {
  if (status < 200 || status === 204 || status === 205 || status === 206 || status === 304) return false;
  if (length !== null && length < minBytes) return false;
  if (fieldValue(fields, 'content-encoding') !== null || fieldValue(fields, 'content-range') !== null) return false;
  if (/(?:^|[\s,])no-transform(?:$|[\s,])/i.test(fieldValue(fields, 'cache-control') ?? '')) return false;
  return shrinks(fieldValue(fields, 'content-type') ?? '');
}

/** The fields of an answer whose content gets that coding because the client accepts it. */
export function encodedFields(fields: FieldList, coding: ContentCoding | 'identity'): FieldList {
  const changed: (readonly [name: string, value: string])[] = [];
  for (const field of fields) {
    const name = field[0].toLowerCase();
    if (name === 'vary') continue;
    if (coding === 'identity') changed.push(field);
    // Different bytes need a different strong tag (RFC 9110 §8.8.3.3), and ranges would refer to the old bytes.
    else if (name === 'etag') changed.push([field[0], weaken(field[1])]);
    else if (name !== 'content-length' && name !== 'accept-ranges') changed.push(field);
  }
  changed.push(['Vary', withVary(fieldValue(fields, 'vary'), 'Accept-Encoding')]);
  if (coding !== 'identity') changed.push(['Content-Encoding', coding]);
  return changed;
}

/** All values of a field, joined; null without one. */
function fieldValue(fields: FieldList, lowerName: string): string | null {
  let value: string | null = null;
  for (const [name, one] of fields) {
    if (name.toLowerCase() === lowerName) value = value === null ? one : `${value}, ${one}`;
  }
  return value;
}

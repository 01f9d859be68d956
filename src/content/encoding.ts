/**
 * Answers compressed when a handler asks for it: which coding, which fields change, and the content. Small content at once,
 * streams and large content in the thread pool, in pieces.
 */
import type { Buffer } from 'node:buffer';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { weaken } from './entity-tags.ts';
import { isCompressible } from './media-types.ts';
import { type ContentCoding, chooseCoding, codingWeights, withVary } from './negotiation.ts';
import { through } from './through.ts';

/** Up to here compressing blocks the event loop for less than handing it to the pool costs: 10 KB take 42 µs, in the pool 220. */
export const MAX_SYNC_BYTES: number = 64 * 1024;
/** Below this a coding saves no packet. */
export const MIN_BYTES = 512;

/** Node 22 has zstd from 22.15 on. */
const HAS_ZSTD = typeof zlib.createZstdCompress === 'function';
/** At these levels zstd is the fastest, and brotli twice as slow as gzip. */
const PREFERRED: readonly ContentCoding[] = HAS_ZSTD ? ['zstd', 'br', 'gzip'] : ['br', 'gzip'];
const GZIP_OPTIONS: zlib.ZlibOptions = { level: 3 };
const BROTLI_OPTIONS: zlib.BrotliOptions = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };

type FieldList = readonly (readonly [name: string, value: string])[];

export interface EncodingChoice {
  /** `identity`: the content stays as it is. */
  readonly coding: ContentCoding | 'identity';
  /** The fields of the answer, changed as the choice wants it: Vary always where there was a choice. */
  readonly fields: FieldList;
}

/**
 * What to do with an answer of `length` bytes, null: unknown. Not compressed: what has a coding or a range already, what must not
 * be transformed (RFC 9111 §5.2.2.6), statuses without content, small content, and types that do not shrink.
 */
export function chooseEncoding(
  status: number,
  fields: FieldList,
  length: number | null,
  acceptEncoding: string | null,
): EncodingChoice {
  if (!mayEncode(status, fields, length)) return { coding: 'identity', fields };
  const coding = chooseCoding(codingWeights(acceptEncoding), PREFERRED) ?? 'identity';
  return { coding, fields: changedFields(fields, coding) };
}

/** For content up to `MAX_SYNC_BYTES`. */
export function encodeNow(content: Uint8Array, coding: ContentCoding): Buffer {
  if (coding === 'br') return zlib.brotliCompressSync(content, BROTLI_OPTIONS);
  return coding === 'zstd' ? zlib.zstdCompressSync(content) : zlib.gzipSync(content, GZIP_OPTIONS);
}

/**
 * Whatever `source` gives, compressed; each piece leaves before the next is asked for, so that slow sources are seen as they
 * come. Ends and fails with the source, and ends it when nobody reads on.
 */
export function encodeStream(source: AsyncIterable<Uint8Array>, coding: ContentCoding): AsyncIterable<Uint8Array> {
  return through(source, encoderFor(coding), (error) => error);
}

function encoderFor(coding: ContentCoding): Transform {
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = zlib.constants;
  if (coding === 'br') return zlib.createBrotliCompress({ ...BROTLI_OPTIONS, flush: BROTLI_OPERATION_FLUSH });
  if (coding === 'zstd') return zlib.createZstdCompress({ flush: ZSTD_e_flush });
  return zlib.createGzip({ ...GZIP_OPTIONS, flush: Z_SYNC_FLUSH });
}

function mayEncode(status: number, fields: FieldList, length: number | null): boolean {
  if (status < 200 || status === 204 || status === 205 || status === 206 || status === 304) return false;
  if (length !== null && length < MIN_BYTES) return false;
  if (fieldValue(fields, 'content-encoding') !== null || fieldValue(fields, 'content-range') !== null) return false;
  if (/(?:^|[\s,])no-transform(?:$|[\s,])/i.test(fieldValue(fields, 'cache-control') ?? '')) return false;
  return isCompressible(fieldValue(fields, 'content-type') ?? '');
}

function changedFields(fields: FieldList, coding: ContentCoding | 'identity'): FieldList {
  const changed: (readonly [name: string, value: string])[] = [];
  for (const field of fields) {
    const name = field[0].toLowerCase();
    if (name === 'vary') continue;
    if (coding === 'identity') changed.push(field);
    // Other bytes cannot have the same strong tag (RFC 9110 §8.8.3.3), nor be asked for by ranges that meant the old ones.
    else if (name === 'etag') changed.push([field[0], weaken(field[1])]);
    else if (name !== 'content-length' && name !== 'accept-ranges') changed.push(field);
  }
  changed.push(['Vary', withVary(fieldValue(fields, 'vary'), 'Accept-Encoding')]);
  if (coding !== 'identity') changed.push(['Content-Encoding', coding]);
  return changed;
}

/** All values of a field in one, or null. */
function fieldValue(fields: FieldList, lowerName: string): string | null {
  let value: string | null = null;
  for (const [name, one] of fields) {
    if (name.toLowerCase() === lowerName) value = value === null ? one : `${value}, ${one}`;
  }
  return value;
}

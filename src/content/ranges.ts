/** Byte ranges (RFC 9110 §14): parses Range and lays out multipart/byteranges answers (§14.6). */
import { Buffer } from 'node:buffer';

/** From `start` to `end` inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Requests with more ranges get the whole representation (RFC 9110 §14.2, §17.15). */
export const MAX_RANGES = 50;

/** `whole`: ignore the field. `unsatisfiable`: 416. Otherwise at least one range, and none overlap. */
export type RangeRequest = 'whole' | 'unsatisfiable' | readonly ByteRange[];

/** Applies the value of Range to `length` bytes. */
export function parseRange(value: string, length: number, maxRanges: number = MAX_RANGES): RangeRequest {
  // Unknown units and malformed fields are ignored (RFC 9110 §14.2). So is any range of an empty file: clients that always ask for
  // the first n bytes would otherwise get an error.
  if (length === 0 || value.slice(0, 6).toLowerCase() !== 'bytes=') return 'whole';
  const ranges: ByteRange[] = [];
  let count = 0;
  let at = 6;
  while (at < value.length) {
    const code = value.charCodeAt(at);
    if (code === 0x20 || code === 0x09 || code === 0x2c) {
      at++;
      continue;
    }
    const from = at;
    at = skipDigits(value, at);
    if (value[at] !== '-') return 'whole';
    const dash = at;
    at = skipDigits(value, at + 1);
    const end = at;
    while (value[at] === ' ' || value[at] === '\t') at++;
    if (at < value.length && value[at] !== ',') return 'whole';
    if (++count > maxRanges) return 'whole';
    const last = dash + 1 < end ? numberOf(value, dash + 1, end) : -1;
    if (from === dash) {
      if (last < 0) return 'whole';
      if (last > 0) ranges.push({ start: Math.max(0, length - last), end: length - 1 });
      continue;
    }
    const start = numberOf(value, from, dash);
    if (last >= 0 && last < start) return 'whole';
    if (start < length) ranges.push({ start, end: last < 0 ? length - 1 : Math.min(last, length - 1) });
  }
  if (count === 0) return 'whole';
  return ranges.length === 0 ? 'unsatisfiable' : ranges.length === 1 ? ranges : withoutOverlaps(ranges);
}

/** The value of Content-Range: with a range for 206, with null for 416. */
export function contentRange(range: ByteRange | null, length: number): string {
  return range === null ? `bytes */${length}` : `bytes ${range.start}-${range.end}/${length}`;
}

/** The layout of an answer in parts: literal bytes and ranges of the representation, in order. */
export interface ByteRangeParts {
  /** The value of Content-Type. */
  readonly type: string;
  readonly length: number;
  readonly pieces: readonly (Uint8Array | ByteRange)[];
}

/** `type` is the media type of the representation. `boundary` must be a token that does not occur in it. */
export function byteRangeParts(
  ranges: readonly ByteRange[],
  length: number,
  type: string,
  boundary: string = randomBoundary(),
): ByteRangeParts {
  const pieces: (Uint8Array | ByteRange)[] = [];
  let total = 0;
  let lineEnd = '';
  for (const range of ranges) {
    const fields = `Content-Type: ${type}\r\nContent-Range: ${contentRange(range, length)}\r\n\r\n`;
    const head = Buffer.from(`${lineEnd}--${boundary}\r\n${fields}`, 'latin1');
    pieces.push(head, range);
    total += head.length + (range.end - range.start + 1);
    lineEnd = '\r\n';
  }
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1');
  pieces.push(tail);
  return { type: `multipart/byteranges; boundary=${boundary}`, length: total + tail.length, pieces };
}

/** 128 random bits, so that the author of the content cannot put the boundary into it. */
function randomBoundary(): string {
  return process.getBuiltinModule('node:crypto').randomBytes(16).toString('hex');
}

/**
 * Merges overlapping ranges at the position of the first (RFC 9110 §15.3.7.2), so that an answer is never longer than the
 * representation plus part heads.
 */
function withoutOverlaps(ranges: readonly ByteRange[]): ByteRange[] {
  const sorted = ranges.map(({ start, end }, place) => ({ start, end, place })).sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number; place: number }[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last === undefined || range.start > last.end) {
      merged.push(range);
      continue;
    }
    last.end = Math.max(last.end, range.end);
    last.place = Math.min(last.place, range.place);
  }
  return merged.sort((a, b) => a.place - b.place).map(({ start, end }) => ({ start, end }));
}

function skipDigits(text: string, at: number): number {
  let i = at;
  while (text.charCodeAt(i) >= 0x30 && text.charCodeAt(i) <= 0x39) i++;
  return i;
}

/** The number in text[from, to). Huge ones become Infinity or lose precision, far beyond the size of any file. */
function numberOf(text: string, from: number, to: number): number {
  return Number(text.slice(from, to));
}

/** Byte ranges (RFC 9110 §14): what a Range field asks of a representation, and the form of a multipart/byteranges answer (§14.6). */
import { Buffer } from 'node:buffer';

/** Bytes `start` to `end`, the last one included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More ranges than this are not worth their parts: the field is ignored (RFC 9110 §14.2, §17.15). */
export const MAX_RANGES = 50;

/** `whole`: ignore the field and send everything. `unsatisfiable`: 416. Otherwise at least one range, none overlapping. */
export type RangeRequest = 'whole' | 'unsatisfiable' | readonly ByteRange[];

/** What `Range: <value>` means for `length` bytes. */
export function parseRange(value: string, length: number, maxRanges: number = MAX_RANGES): RangeRequest {
  // Units other than bytes, and whatever breaks the grammar, must be ignored (RFC 9110 §14.2). So is a range of nothing at all:
  // clients that always ask for the first so many bytes would get an error for an empty file.
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

/** The value of Content-Range: of a 206 with a range, of a 416 without. */
export function contentRange(range: ByteRange | null, length: number): string {
  return range === null ? `bytes */${length}` : `bytes ${range.start}-${range.end}/${length}`;
}

/** An answer in parts: text and ranges of the representation, in the order in which they are sent. */
export interface ByteRangeParts {
  /** The value of Content-Type. */
  readonly type: string;
  readonly length: number;
  readonly pieces: readonly (Uint8Array | ByteRange)[];
}

/** `type` is the media type of the representation, `boundary` a token that does not occur in it. */
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

/** 128 bits that nobody can guess: whoever wrote the content must not be able to put the boundary into it. */
function randomBoundary(): string {
  return process.getBuiltinModule('node:crypto').randomBytes(16).toString('hex');
}

/**
 * Ranges that overlap become one, at the place of the first of them (RFC 9110 §15.3.7.2): an answer is never longer than the
 * representation and its part heads.
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

/** The number that text[from, to) spells; what no file can have becomes Infinity or loses digits that do not matter. */
function numberOf(text: string, from: number, to: number): number {
  return Number(text.slice(from, to));
}

import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { byteRangeParts, contentRange, parseRange } from '../../src/content/ranges.ts';
import { Random } from '../fuzz/random.ts';

function show(value: string, length: number): string {
  const ranges = parseRange(value, length);
  return typeof ranges === 'string' ? ranges : ranges.map(({ start, end }) => `${start}-${end}`).join(',');
}

describe('of 10 bytes', () => {
  test.each([
    ['bytes=0-0', '0-0'],
    ['bytes=0-9', '0-9'],
    ['bytes=2-', '2-9'],
    ['bytes=-3', '7-9'],
    ['bytes=-10', '0-9'],
    ['bytes=-11', '0-9'],
    ['bytes=5-99', '5-9'],
    ['bytes=9-9', '9-9'],
    ['BYTES=0-1', '0-1'],
    ['bytes= 0-1 ', '0-1'],
    ['bytes=0-1,4-5', '0-1,4-5'],
    ['bytes=4-5, 0-1', '4-5,0-1'],
    ['bytes=0-1,,\t4-5,', '0-1,4-5'],
    ['bytes=0-1,2-3', '0-1,2-3'],
    ['bytes=0-000000000000000000000000001', '0-1'],
    [`bytes=0-${'9'.repeat(400)}`, '0-9'],
    // Overlapping ranges become one, in the first one's place.
    ['bytes=0-4,3-6', '0-6'],
    ['bytes=0-9,0-9,0-9', '0-9'],
    ['bytes=8-9,0-4,2-5', '8-9,0-5'],
    ['bytes=-3,0-1,1-2', '7-9,0-2'],
    // An unsatisfiable range is left out if another one can be satisfied.
    ['bytes=10-,0-1', '0-1'],
    ['bytes=-0,0-1', '0-1'],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=10-20', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=99-,-0,10-11', 'unsatisfiable'],
    [`bytes=${'9'.repeat(400)}-`, 'unsatisfiable'],
    // A field that breaks the grammar is ignored as a whole.
    ['bytes=', 'whole'],
    ['bytes=,', 'whole'],
    ['bytes', 'whole'],
    ['', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=a-b', 'whole'],
    ['bytes=1', 'whole'],
    ['bytes=5-4', 'whole'],
    ['bytes=0-1,5-4', 'whole'],
    ['bytes=0-1;2-3', 'whole'],
    ['bytes=0 - 1', 'whole'],
    ['bytes=0-1 2-3', 'whole'],
    ['bytes=0--1', 'whole'],
    ['bytes=+0-1', 'whole'],
    ['bytes=0x0-1', 'whole'],
    ['bytes =0-1', 'whole'],
    ['lines=0-1', 'whole'],
  ])('%j', (value, ranges) => {
    expect(show(value, 10)).toBe(ranges);
  });
});

test('the Range of an empty representation is ignored', () => {
  expect([show('bytes=0-', 0), show('bytes=-1', 0)]).toEqual(['whole', 'whole']);
});

test('more than 50 ranges are ignored', () => {
  const list = (count: number) => `bytes=${Array.from({ length: count }, (_, i) => `${i * 2}-${i * 2}`).join(',')}`;
  expect(parseRange(list(50), 1000)).toHaveLength(50);
  expect(parseRange(list(51), 1000)).toBe('whole');
  expect(parseRange(`bytes=${'5000-,'.repeat(51)}`, 1000)).toBe('whole');
});

test('Content-Range, with a range and without', () => {
  expect(contentRange({ start: 1, end: 2 }, 10)).toBe('bytes 1-2/10');
  expect(contentRange(null, 10)).toBe('bytes */10');
});

test('multipart/byteranges has the form of RFC 9110 §14.6, and the length that it announces', () => {
  const content = Buffer.from('0123456789');
  const ranges = parseRange('bytes=0-1,4-', 10);
  if (typeof ranges === 'string') throw new Error(ranges);
  const { type, length, pieces } = byteRangeParts(ranges, 10, 'text/plain', 'THIS');
  const bytes = Buffer.concat(
    pieces.map((piece) => (piece instanceof Uint8Array ? piece : content.subarray(piece.start, piece.end + 1))),
  );
  expect(type).toBe('multipart/byteranges; boundary=THIS');
  expect(bytes.toString()).toBe(
    '--THIS\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n' +
      '--THIS\r\nContent-Type: text/plain\r\nContent-Range: bytes 4-9/10\r\n\r\n456789\r\n--THIS--\r\n',
  );
  expect(length).toBe(bytes.length);
});

test('boundaries differ', () => {
  const boundary = () => byteRangeParts([{ start: 0, end: 0 }], 1, 'a/b').type;
  expect(boundary()).not.toBe(boundary());
});

test('any text yields ranges within the content that do not overlap, or none', () => {
  const random = new Random(Number(process.env['FUZZ_SEED'] ?? 13));
  const alphabet = ['bytes=', '-', '-', ',', ' ', '0', '1', '5', '9', '99', 'x', '\t', '=', '00', ';'];
  for (let round = 0; round < 50_000; round++) {
    let value = random.oneIn(8) ? '' : 'bytes=';
    for (let i = random.below(12); i > 0; i--) value += random.pick(alphabet);
    const length = random.below(120);
    const ranges = parseRange(value, length);
    if (typeof ranges === 'string') continue;
    const sorted = [...ranges].sort((a, b) => a.start - b.start);
    const isGood = sorted.every(
      ({ start, end }, i) =>
        Number.isInteger(start) && start <= end && end < length && start > (sorted[i - 1]?.end ?? -1),
    );
    if (!isGood || ranges.length === 0) expect.fail(`${JSON.stringify(value)} of ${length}: ${JSON.stringify(ranges)}`);
  }
});

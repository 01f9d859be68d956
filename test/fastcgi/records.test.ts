import { expect, test } from 'vitest';
import { readCgiHead } from '../../src/fastcgi/cgi-head.ts';
import { encodeParams } from '../../src/fastcgi/params.ts';
import { Piece, RecordReader } from '../../src/fastcgi/record-reader.ts';

function record(type: number, content: string, padding = 0, id = 1): Buffer {
  const length = Buffer.byteLength(content, 'latin1');
  const header = Buffer.from([1, type, 0, id, length >> 8, length & 0xff, padding, 0]);
  return Buffer.concat([header, Buffer.from(content, 'latin1'), Buffer.alloc(padding, 0xee)]);
}

/** What the reader tells of bytes that come in these pieces, with what belongs together put together. */
function readAll(pieces: readonly Buffer[]): string[] {
  const reader = new RecordReader();
  const told: string[] = [];
  for (const bytes of pieces) {
    for (let at = 0; ; at = reader.position) {
      const piece = reader.read(bytes, at, bytes.length);
      if (piece === Piece.needMore) break;
      if (piece === Piece.invalid) return [...told, 'invalid'];
      if (piece === Piece.end) told.push(`end ${reader.protocolStatus}`);
      else {
        const kind = piece === Piece.stdout ? 'out ' : 'err ';
        const text = bytes.toString('latin1', reader.start, reader.end);
        if (told.at(-1)?.startsWith(kind) === true) told[told.length - 1] += text;
        else told.push(kind + text);
      }
    }
  }
  return told;
}

const STREAM = Buffer.concat([
  record(6, 'Status: 200\r\n', 3),
  record(7, 'a warning', 7),
  record(10, 'of the connection', 0, 0),
  record(6, 'content'),
  record(6, ''),
  record(3, '\0\0\0\x05\x02\0\0\0', 8),
  record(6, 'of another request'),
  record(3, '\0\0\0\0\0\0\0\0'),
]);
const TOLD = ['out Status: 200\r\n', 'err a warning', 'out content', 'end 2', 'out of another request', 'end 0'];

test('records are told alike wherever they are cut', () => {
  expect(readAll([STREAM])).toEqual(TOLD);
  for (let at = 1; at < STREAM.length; at++)
    expect(readAll([STREAM.subarray(0, at), STREAM.subarray(at)])).toEqual(TOLD);
  expect(readAll(Array.from(STREAM, (byte) => Buffer.from([byte])))).toEqual(TOLD);
});

test.each([
  ['another version', Buffer.from([2, 6, 0, 1, 0, 1, 0, 0, 65])],
  ['a request that nobody has made', record(6, 'x', 0, 2)],
  ['a type that applications do not send', record(5, 'x')],
  ['an end of the wrong length', record(3, 'abc')],
  ['HTTP', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
])('%s is invalid', (_, bytes) => {
  expect(readAll([bytes])).toEqual(['invalid']);
});

test('parameters are pairs with lengths of one byte or four, in as many records as they take', () => {
  const stream = encodeParams([
    ['A', 'b'],
    ['LONG', 'x'.repeat(70_000)],
  ]);
  expect(stream.subarray(0, 8)).toEqual(Buffer.from([1, 4, 0, 1, 0xff, 0xff, 0, 0]));
  expect(stream.subarray(8, 12)).toEqual(Buffer.from([1, 1, 0x41, 0x62]));
  expect(stream.subarray(12, 17)).toEqual(Buffer.from([4, 0x80, 0x01, 0x11, 0x70]));
  expect(stream.subarray(-8)).toEqual(Buffer.from([1, 4, 0, 1, 0, 0, 0, 0]));
  expect(stream.length).toBe(4 + 9 + 70_000 + 3 * 8);
});

test('heads of CGI become those of HTTP', () => {
  expect(readCgiHead('Content-Type: text/html\n\n')).toEqual({
    status: 200,
    lines: 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n',
    contentLength: -1,
  });
  expect(readCgiHead('Status: 404 Nothing here\r\nContent-Length: 12\r\nX-A:b\r\n\r\n')).toEqual({
    status: 404,
    lines: 'HTTP/1.1 404 Nothing here\r\nX-A: b\r\n',
    contentLength: 12,
  });
  expect(readCgiHead('Location: /there\n\n')).toMatchObject({ status: 302 });
});

test.each([
  ['nothing', '\n'],
  ['no field', 'Hello\n\n'],
  ['a folded line', 'A: b\n c\n\n'],
  ['a space before the colon', 'A : b\n\n'],
  ['an interim status', 'Status: 100\n\n'],
  ['another protocol', 'Status: 101 Switching\n\n'],
  ['no number', 'Status: OK\n\n'],
  ['two statuses', 'Status: 200\nStatus: 404\n\n'],
  ['two lengths', 'Content-Length: 1\nContent-Length: 2\n\n'],
  ['a length that is none', 'Content-Length: +1\n\n'],
  ['a coding', 'Transfer-Encoding: chunked\n\n'],
])('%s is no head of CGI', (_, text) => {
  expect(typeof readCgiHead(text)).toBe('string');
});

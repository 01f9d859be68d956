import { Buffer } from 'node:buffer';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ContentError } from '../../src/content/content-error.ts';
import { parseUrlencoded, readForm } from '../../src/content/forms.ts';
import { baseName } from '../../src/content/part-head.ts';
import type { FileConsumer } from '../../src/content/uploads.ts';
import { failingAfter, inPieces } from './pieces.ts';

const TYPE = 'multipart/form-data; boundary=B';
const URLENCODED = 'application/x-www-form-urlencoded; charset=UTF-8';
const BIG = Buffer.alloc(300_000, 'big ');
const FORM = Buffer.concat([
  Buffer.from('--B\r\nContent-Disposition: form-data; name="title"\r\n\r\nA títle\r\n'),
  Buffer.from(
    '--B\r\nContent-Disposition: form-data; name="up"; filename="../../a.bin"\r\nContent-Type: image/png\r\n\r\n',
  ),
  BIG,
  Buffer.from('\r\n--B\r\nContent-Disposition: form-data; name="title"\r\n\r\n\r\n'),
  Buffer.from('--B\r\nContent-Disposition: form-data; name="up"; filename="b"\r\n\r\nsmall\r\n--B--\r\n'),
]);

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'vrypt-forms-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const fault = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof ContentError ? `${error.status} ${error.message}` : String(error)),
  );

describe('urlencoded', () => {
  test.each([1, 7, 1000])('in pieces of %i bytes', async (size) => {
    const form = await readForm(URLENCODED, inPieces(Buffer.from('a=1&b=%C3%A9+é&a='), size));
    expect([...form.fields]).toEqual([
      ['a', '1'],
      ['b', 'é é'],
      ['a', ''],
    ]);
    expect(form.files).toEqual([]);
  });

  test('limits', async () => {
    const ask = (limits: object) => fault(readForm(URLENCODED, inPieces(Buffer.from('a=1&b=2')), { limits }));
    expect(await ask({ maxFieldBytes: 7, maxParts: 2 })).toBe('none');
    expect(await ask({ maxFieldBytes: 6 })).toBe('413 a field must be at most 6 bytes');
    expect(await ask({ maxParts: 1 })).toBe('413 a form must have at most 1 parts');
  });

  test('of bytes in memory', () => {
    expect(parseUrlencoded(Buffer.from('a=1&a=2'))?.getAll('a')).toEqual(['1', '2']);
    expect(parseUrlencoded(Buffer.from('a=1&a=2'), 1)).toBeNull();
  });
});

describe('multipart', () => {
  test.each([1000, 64 * 1024, FORM.length])('files in memory, in pieces of %i bytes', async (size) => {
    const form = await readForm(TYPE, inPieces(FORM, size));
    expect(form.fields.getAll('title')).toEqual(['A títle', '']);
    const [big, small] = form.files;
    expect(big).toMatchObject({ name: 'up', filename: '../../a.bin', type: 'image/png', size: BIG.length, path: null });
    expect(big?.content?.equals(BIG)).toBe(true);
    expect(small).toMatchObject({ filename: 'b', type: 'text/plain', content: Buffer.from('small') });
  });

  test('files on disk, under our own names, unreadable to other users', async () => {
    const form = await readForm(TYPE, inPieces(FORM, 10_000), { directory });
    const [big, small] = form.files;
    if (!big?.path || !small?.path) throw new Error('not on disk');
    expect(path.dirname(big.path)).toBe(directory);
    expect(path.basename(big.path)).toMatch(/^upload-[0-9a-f]{32}$/);
    expect(readFileSync(big.path).equals(BIG)).toBe(true);
    expect(statSync(big.path).mode & 0o777).toBe(0o600);
    expect(big.content).toBeNull();
    renameSync(small.path, path.join(directory, 'kept'));
    await form.dispose();
    expect(readdirSync(directory)).toEqual(['kept']);
    rmSync(path.join(directory, 'kept'));
  });

  test.each([
    ['cut off', inPieces(FORM.subarray(0, 200_000), 10_000), '400 the form must end with its last boundary'],
    [
      'cut off in the second file',
      inPieces(FORM.subarray(0, -12), 10_000),
      '400 the form must end with its last boundary',
    ],
    ['failing', failingAfter(FORM.subarray(0, 200_000), new Error('client gone')), 'Error: client gone'],
  ])('%s: nothing is left on disk', async (_name, body, message) => {
    expect(await fault(readForm(TYPE, body, { directory }))).toBe(message);
    expect(readdirSync(directory)).toEqual([]);
  });

  test.each([
    [{ maxFileBytes: BIG.length - 1 }, `413 a file must be at most ${BIG.length - 1} bytes`],
    [{ maxFieldBytes: 3 }, '413 a field must be at most 3 bytes'],
    [{ maxParts: 3 }, '413 a form must have at most 3 parts'],
    [{ maxTotalBytes: 100_000 }, '413 a form must be at most 100000 bytes'],
    [{ maxHeaderBytes: 20 }, '413 the head of a part must be at most 20 bytes'],
  ])('limits %j', async (limits, message) => {
    expect(await fault(readForm(TYPE, inPieces(FORM, 5000), { directory, limits }))).toBe(message);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('a missing directory', async () => {
    const missing = path.join(directory, 'missing');
    expect(await fault(readForm(TYPE, inPieces(FORM), { directory: missing }))).toContain('ENOENT');
    expect(existsSync(missing)).toBe(false);
  });
});

describe('a consumer', () => {
  function recorder(): FileConsumer & { log: string[]; size: number } {
    const log: string[] = [];
    const one = {
      log,
      size: 0,
      write: async (bytes: Uint8Array) => {
        await Promise.resolve();
        one.size += bytes.length;
      },
      end: () => void log.push('end'),
      abort: (error: unknown) => void log.push(`abort ${error instanceof Error ? error.message : ''}`),
    };
    return one;
  }

  test('hands over the requested files, in order and in full', async () => {
    const consumer = recorder();
    const onFile = ({ filename }: { filename: string | null }) => (filename === 'b' ? null : consumer);
    const form = await readForm(TYPE, inPieces(FORM, 3000), { onFile });
    expect([consumer.size, consumer.log]).toEqual([BIG.length, ['end']]);
    expect(form.files.map(({ size, content }) => [size, content?.toString()])).toEqual([
      [BIG.length, undefined],
      [5, 'small'],
    ]);
  });

  test('is told when the upload fails', async () => {
    const consumer = recorder();
    await fault(readForm(TYPE, failingAfter(FORM.subarray(0, 1000), new Error('gone')), { onFile: () => consumer }));
    expect(consumer.log).toEqual(['abort gone']);
  });

  test('that fails ends the upload, and the rest of the body is not read', async () => {
    const consumer = recorder();
    consumer.write = () => Promise.reject(new Error('disk full'));
    const body = inPieces(FORM, 1000);
    expect(await fault(readForm(TYPE, body, { onFile: () => consumer }))).toBe('Error: disk full');
    expect(consumer.log).toEqual(['abort disk full']);
    expect([body.state.isReturned, body.state.given]).toEqual([true, 1000]);
  });
});

test.each([
  [null, '415 the content must be a form, got Content-Type null'],
  ['application/json', '415 the content must be a form, got Content-Type "application/json"'],
  ['multipart/form-data', '400 multipart/form-data must have a boundary, got Content-Type "multipart/form-data"'],
])('Content-Type %j is refused', async (type, message) => {
  expect(await fault(readForm(type, inPieces(Buffer.from('a=1'))))).toBe(message);
});

test.each([
  ['a.txt', 'a.txt'],
  ['../../etc/passwd', 'passwd'],
  ['C:\\dir\\a.txt', 'a.txt'],
  ['..', 'file'],
  ['.htaccess', 'htaccess'],
  ['', 'file'],
  ['a/', 'file'],
  ['a\u0000.txt\r\n', 'a.txt'],
  ['a:b*c?"<>|', 'abc'],
  ['é.txt', 'é.txt'],
  ['é'.repeat(200), 'é'.repeat(100)],
])('the name in %j is %j', (filename, name) => {
  expect(baseName(filename)).toBe(name);
});

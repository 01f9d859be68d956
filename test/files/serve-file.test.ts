import { utimesSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { type CachedFile, FILE_CACHE_DEFAULTS, FileCache } from '../../src/files/file-cache.ts';
import type { FilePlan } from '../../src/files/file-plan.ts';
import type { FileStyle } from '../../src/files/plan-set.ts';
import { planFile } from '../../src/files/serve-file.ts';
import { contentOf, Folder, fieldOf, request } from './folder.ts';

const T = 'Sun, 06 Nov 1994 08:49:37 GMT';
const SECOND = Date.UTC(1994, 10, 6, 8, 49, 37) / 1000;
const NOW = Date.now();
const STYLE: FileStyle = { type: 'text/plain; charset=utf-8', fields: [['X-Own', '1']] };
const folder = new Folder({ 'plain.txt': '0123456789', 'empty.txt': '' });
for (const [name, content] of [
  ['coded.js', 'identity'],
  ['coded.js.br', 'br bytes'],
  ['coded.js.zst', 'zst bytes'],
  ['coded.js.gz', 'gz bytes!'],
] as const) {
  folder.write(name, content);
}
for (const name of ['plain.txt', 'empty.txt', 'coded.js', 'coded.js.br']) utimesSync(folder.at(name), SECOND, SECOND);

/** Always in memory, and never. */
const caches = [FILE_CACHE_DEFAULTS, { ...FILE_CACHE_DEFAULTS, keepBelow: -1 }].map(
  (limits) => new FileCache(folder.path, limits),
);
afterAll(() => {
  for (const cache of caches) cache.close();
  folder.remove();
});

describe.each([
  ['in memory', caches[0] as FileCache],
  ['in pieces', caches[1] as FileCache],
])('%s', (_name, cache) => {
  function plan(
    name: string,
    fields: Readonly<Record<string, string>> = {},
    method = 'GET',
    isPrecompressed = true,
  ): FilePlan {
    const file = cache.get(folder.at(name), NOW) as CachedFile;
    return planFile(request('/', fields, method), file, STYLE, NOW, isPrecompressed);
  }

  const show = (one: FilePlan) => [one.status, one.length, contentOf(one, 3)];

  test('the whole file', () => {
    const all = plan('plain.txt');
    expect(show(all)).toEqual([200, 10, '0123456789']);
    expect(all.fields.map(([name]) => name)).toEqual([
      'Content-Type',
      'ETag',
      'Last-Modified',
      'Accept-Ranges',
      'X-Own',
    ]);
    expect([fieldOf(all, 'Content-Type'), fieldOf(all, 'Last-Modified'), fieldOf(all, 'Accept-Ranges')]).toEqual([
      STYLE.type,
      T,
      'bytes',
    ]);
  });

  test('an empty file', () => {
    expect(show(plan('empty.txt'))).toEqual([200, 0, '']);
    expect(show(plan('empty.txt', { range: 'bytes=0-5' }))).toEqual([200, 0, '']);
  });

  test('HEAD says what GET would, and sends nothing', () => {
    const head = plan('plain.txt', { range: 'bytes=0-1' }, 'HEAD');
    expect([head.status, head.length, head.content]).toEqual([200, 10, null]);
    expect(head.fields).toEqual(plan('plain.txt').fields);
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'get', 'BREW'])('%s is not allowed', (method) => {
    const one = plan('plain.txt', {}, method);
    expect([one.status, fieldOf(one, 'Allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('304, with the fields that RFC 9110 §15.4.5 requires, and without a length', () => {
    const etag = fieldOf(plan('plain.txt'), 'ETag') ?? '';
    expect(etag).toMatch(/^"[0-9a-z]+-[0-9a-z]+"$/);
    for (const fields of [{ 'if-none-match': `"x", ${etag}` }, { 'if-modified-since': T }, { 'if-none-match': '*' }]) {
      const one = plan('plain.txt', fields);
      expect([one.status, one.length, one.content]).toEqual([304, null, null]);
      expect(one.fields).toEqual([
        ['ETag', etag],
        ['X-Own', '1'],
      ]);
    }
    expect(plan('plain.txt', { 'if-none-match': '"x"', 'if-modified-since': T }).status).toBe(200);
  });

  test('412', () => {
    expect(show(plan('plain.txt', { 'if-match': '"x"' }))).toEqual([412, 0, '']);
    expect(plan('plain.txt', { 'if-unmodified-since': 'Sun, 06 Nov 1994 08:49:36 GMT' }).status).toBe(412);
    // A precondition comes before a range.
    expect(plan('plain.txt', { 'if-match': '"x"', range: 'bytes=99-' }).status).toBe(412);
  });

  test.each([
    ['bytes=0-3', 'bytes 0-3/10', '0123'],
    ['bytes=4-', 'bytes 4-9/10', '456789'],
    ['bytes=-2', 'bytes 8-9/10', '89'],
    ['bytes=0-1,1-4', 'bytes 0-4/10', '01234'],
    ['bytes=20-,3-3', 'bytes 3-3/10', '3'],
  ])('206 for %s', (range, contentRange, content) => {
    const one = plan('plain.txt', { range });
    expect(show(one)).toEqual([206, content.length, content]);
    expect(fieldOf(one, 'Content-Range')).toBe(contentRange);
    expect(fieldOf(one, 'ETag')).toBe(fieldOf(plan('plain.txt'), 'ETag'));
  });

  test('206 in parts', () => {
    const one = plan('plain.txt', { range: 'bytes=0-1,8-' });
    const type = fieldOf(one, 'Content-Type') ?? '';
    const boundary = type.replace('multipart/byteranges; boundary=', '');
    const part = (range: string, text: string) =>
      `--${boundary}\r\nContent-Type: ${STYLE.type}\r\nContent-Range: bytes ${range}/10\r\n\r\n${text}\r\n`;
    const content = `${part('0-1', '01')}${part('8-9', '89')}--${boundary}--\r\n`;
    expect(show(one)).toEqual([206, content.length, content]);
    expect(fieldOf(one, 'Content-Range')).toBeNull();
  });

  test('416 says the length', () => {
    const one = plan('plain.txt', { range: 'bytes=10-' });
    expect(show(one)).toEqual([416, 0, '']);
    expect(fieldOf(one, 'Content-Range')).toBe('bytes */10');
  });

  test.each(['bytes=5-1', 'lines=0-1', 'bytes=a'])('a Range of %s is ignored', (range) => {
    expect(plan('plain.txt', { range }).status).toBe(200);
  });

  test('If-Range', () => {
    const etag = fieldOf(plan('plain.txt'), 'ETag') ?? '';
    const status = (ifRange: string) => plan('plain.txt', { range: 'bytes=0-1', 'if-range': ifRange }).status;
    expect([status(etag), status(T), status('"x"'), status(`W/${etag}`)]).toEqual([206, 206, 200, 200]);
    // For another version, even an unsatisfiable range is ignored.
    expect(plan('plain.txt', { range: 'bytes=99-', 'if-range': '"x"' }).status).toBe(200);
  });

  test.each([
    ['br, gzip, zstd', 'br', 'br bytes'],
    ['gzip, zstd', 'zstd', 'zst bytes'],
    ['gzip', 'gzip', 'gz bytes!'],
    ['br;q=0.5, gzip', 'gzip', 'gz bytes!'],
    ['deflate', null, 'identity'],
    ['identity, br;q=0.1', null, 'identity'],
  ])('precompressed for %s', (acceptEncoding, coding, content) => {
    const one = plan('coded.js', { 'accept-encoding': acceptEncoding });
    expect(show(one)).toEqual([200, content.length, content]);
    expect([fieldOf(one, 'Content-Encoding'), fieldOf(one, 'Vary')]).toEqual([coding, 'Accept-Encoding']);
    expect(fieldOf(one, 'Content-Type')).toBe(STYLE.type);
  });

  test('each coding has its own tag, and 304 says Vary', () => {
    const tags = ['br', 'zstd', 'gzip', 'identity'].map((coding) =>
      fieldOf(plan('coded.js', { 'accept-encoding': coding }), 'ETag'),
    );
    expect(new Set(tags).size).toBe(4);
    const asked = { 'accept-encoding': 'br', 'if-none-match': tags[0] ?? '' };
    expect([plan('coded.js', asked).status, fieldOf(plan('coded.js', asked), 'Vary')]).toEqual([
      304,
      'Accept-Encoding',
    ]);
    expect(plan('coded.js', { ...asked, 'accept-encoding': 'gzip' }).status).toBe(200);
  });

  test('ranges refer to the coded bytes', () => {
    const one = plan('coded.js', { 'accept-encoding': 'br', range: 'bytes=3-' });
    expect([...show(one), fieldOf(one, 'Content-Range')]).toEqual([206, 5, 'bytes', 'bytes 3-7/8']);
  });

  test('406 if identity is refused and there is no other coding', () => {
    expect(plan('plain.txt', { 'accept-encoding': 'identity;q=0' }).status).toBe(406);
    expect(plan('coded.js', { 'accept-encoding': '*;q=0' }).status).toBe(406);
    expect(plan('coded.js', { 'accept-encoding': 'identity;q=0, gzip' }).status).toBe(200);
  });

  test('precompressed files are not used if they are not acceptable', () => {
    const one = plan('coded.js', { 'accept-encoding': 'br' }, 'GET', false);
    expect([contentOf(one), fieldOf(one, 'Vary'), fieldOf(one, 'Content-Encoding')]).toEqual(['identity', null, null]);
  });

  test("the app's fields replace ours, and its tag is the one that is compared", () => {
    const file = cache.get(folder.at('plain.txt'), NOW) as CachedFile;
    const style = {
      type: 'a/b',
      fields: [
        ['etag', '"own"'],
        ['Content-Type', 'c/d'],
      ] as const,
    };
    const one = planFile(request('/'), file, style, NOW);
    expect(one.fields.map(([name, value]) => (name === 'Last-Modified' ? name : `${name}: ${value}`))).toEqual([
      'Last-Modified',
      'Accept-Ranges: bytes',
      'etag: "own"',
      'Content-Type: c/d',
    ]);
    contentOf(one);
    expect(planFile(request('/', { 'if-none-match': '"own"' }), file, style, NOW).status).toBe(304);
  });

  test('conditions are not looked up if the request says that it has none', () => {
    const asked: string[] = [];
    const header = (name: string) => {
      asked.push(name);
      return null;
    };
    const file = cache.get(folder.at('plain.txt'), NOW) as CachedFile;
    contentOf(planFile({ method: 'GET', header, hasFieldPrefix: () => false }, file, STYLE, NOW));
    expect(asked).toEqual(['accept-encoding']);
  });
});

test('a file from the future was modified now', () => {
  const path = folder.write('future', 'x');
  utimesSync(path, 9_000_000_000, 9_000_000_000);
  const plan = planFile(request('/'), (caches[0] as FileCache).get(path, NOW) as CachedFile, STYLE, NOW);
  expect(Date.parse(fieldOf(plan, 'Last-Modified') ?? '')).toBeLessThanOrEqual(Date.now());
});

test('the same answer is the same object, until the file or its style changes', () => {
  const file = (caches[0] as FileCache).get(folder.at('plain.txt'), NOW) as CachedFile;
  const ask = (style = STYLE, method = 'GET') => planFile(request('/', {}, method), file, style, NOW);
  expect(ask()).toBe(ask());
  expect(ask(STYLE, 'HEAD')).toBe(ask(STYLE, 'HEAD'));
  expect(ask()).not.toBe(ask({ ...STYLE }));
});

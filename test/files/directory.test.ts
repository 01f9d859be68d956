import { mkdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Directory } from '../../src/files/directory.ts';
import type { DirectoryOptions } from '../../src/files/directory-options.ts';
import { contentOf, Folder, fieldOf, request } from './folder.ts';

const T0 = 1_700_000_000_000;
const PAGE = '<!DOCTYPE html>';
let folder: Folder;
let outside: Folder;
const open: Directory[] = [];

beforeAll(() => {
  outside = new Folder({ secret: 'secret' });
  folder = new Folder({
    'index.html': PAGE,
    'a.txt': 'text',
    'abcdefghi.txt': 'text',
    'a b.txt': 'space',
    '.env': 'hidden',
    '.well-known/security.txt': 'contact',
    'dir/index.html': 'dir index',
    'assets/app.1234.js': 'script',
    'assets/app.1234.js.br': 'br',
    'plain/b.txt': 'b',
    'javascript:alert(1)/index.html': 'odd',
    'list/<img src=x onerror=alert(1)>': 'x',
    'list/a&b"\'.txt': 'x',
    'list/.hidden': 'x',
    'list/sub/x': 'x',
    'list/javascript:alert(1)': 'x',
    'list/100%': 'x',
  });
  symlinkSync(outside.at('secret'), folder.at('list/link'));
  symlinkSync(outside.path, folder.at('out'));
});
afterAll(() => {
  folder.remove();
  outside.remove();
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function serve(options: DirectoryOptions = {}): Directory {
  const one = new Directory(folder.path, options);
  open.push(one);
  return one;
}

function ask(
  directory: Directory,
  path: string,
  fields: Readonly<Record<string, string>> = {},
  method = 'GET',
  now = T0,
): string {
  const plan = directory.plan(request(path, fields, method), now);
  if (plan === null) return 'nothing';
  const location = fieldOf(plan, 'Location');
  return `${plan.status} ${location ?? contentOf(plan)}`.trim();
}

test.each([
  ['/', `200 ${PAGE}`],
  ['/index.html', `200 ${PAGE}`],
  ['/a.txt', '200 text'],
  ['/a%20b.txt', '200 space'],
  ['/%61.txt', '200 text'],
  ['/a.txt/', 'nothing'],
  ['/A.TXT', 'nothing'],
  ['/dir/', '200 dir index'],
  ['/dir', '301 /dir/'],
  ['/dir?a=b&c', '301 /dir/?a=b&c'],
  ['/plain/', 'nothing'],
  ['/plain', 'nothing'],
  ['/missing', 'nothing'],
  ['/missing/', 'nothing'],
  ['/.env', 'nothing'],
  ['/.well-known/security.txt', '200 contact'],
  ['/out/secret', 'nothing'],
  ['/out/', 'nothing'],
  ['/out', 'nothing'],
  ['/../a.txt', 'nothing'],
  ['/dir/%2e%2e/a.txt', 'nothing'],
  ['/dir/..%2fa.txt', 'nothing'],
  ['/a.txt%00', 'nothing'],
  ['/javascript:alert(1)', '301 /javascript%3Aalert(1)/'],
])('%s: %s', (path, answer) => {
  const directory = serve();
  expect([ask(directory, path), ask(directory, path)]).toEqual([answer, answer]);
});

describe('the redirect to a slash never names another host', () => {
  test.each([
    '//evil.example',
    '//evil.example/..',
    '/\\evil.example',
    '/%2fevil.example',
    '/%5cevil.example',
    '///dir',
    '/.//dir',
  ])('%s', (path) => {
    expect(ask(serve({ listing: true, fallback: 'index.html' }), path)).toBe('nothing');
  });

  test('a directory with the name of a host is a path', () => {
    const own = new Folder({ 'evil.example/index.html': 'x' });
    const directory = new Directory(own.path);
    open.push(directory);
    expect(ask(directory, '/evil.example')).toBe('301 /evil.example/');
    own.remove();
  });

  test('a prefix comes first', () => {
    const plan = serve().plan(request('/dir'), T0, '/static');
    expect(fieldOf(plan, 'Location')).toBe('/static/dir/');
  });
});

test('other methods: 405 if the path exists, otherwise nothing', () => {
  const directory = serve({ fallback: 'index.html' });
  const answers = ['/a.txt', '/', '/dir', '/missing'].map((path) => ask(directory, path, {}, 'POST'));
  expect(answers).toEqual(['405', '405', '405', 'nothing']);
  expect(fieldOf(directory.plan(request('/a.txt', {}, 'DELETE'), T0), 'Allow')).toBe('GET, HEAD');
});

test('types, codings and how long an answer may be kept', () => {
  const directory = serve({ immutable: /^\/assets\//g });
  const fields = (path: string) => {
    const plan = directory.plan(request(path, { 'accept-encoding': 'br' }), T0);
    return ['Content-Type', 'Content-Encoding', 'Cache-Control'].map((name) => fieldOf(plan, name));
  };
  for (let i = 0; i < 3; i++) {
    expect(fields('/')).toEqual(['text/html; charset=utf-8', null, 'no-cache']);
    expect(fields('/a.txt')).toEqual(['text/plain; charset=utf-8', null, null]);
    expect(fields('/assets/app.1234.js')).toEqual([
      'text/javascript; charset=utf-8',
      'br',
      'public, max-age=31536000, immutable',
    ]);
  }
});

test("the app's fields, and its Cache-Control instead of ours", () => {
  const directory = serve({ fields: [['cache-control', 'private']], immutable: /./ });
  const plan = directory.plan(request('/'), T0);
  expect(plan?.fields.filter(([name]) => name.toLowerCase() === 'cache-control')).toEqual([
    ['cache-control', 'private'],
  ]);
});

describe('the fallback', () => {
  test.each<[string, Record<string, string>, string, string]>([
    ['/app/route', {}, 'GET', `200 ${PAGE}`],
    ['/app/route/', {}, 'HEAD', '200'],
    ['/app/v1.2', { accept: 'text/html,*/*' }, 'GET', `200 ${PAGE}`],
    ['/assets/gone.js', { accept: '*/*' }, 'GET', 'nothing'],
    ['/app/route', {}, 'POST', 'nothing'],
    ['/.env', { accept: 'text/html' }, 'GET', 'nothing'],
    ['/../a', {}, 'GET', 'nothing'],
    ['/a.txt', {}, 'GET', '200 text'],
    ['/dir', {}, 'GET', '301 /dir/'],
  ])('%s %j %s: %s', (path, fields, method, answer) => {
    expect(ask(serve({ fallback: '/index.html' }), path, fields, method)).toBe(answer);
  });

  test('gives way to a new file', () => {
    const directory = serve({ fallback: 'index.html' });
    expect(ask(directory, '/later')).toBe(`200 ${PAGE}`);
    const path = folder.write('later', 'here');
    utimesSync(path, 1000, 1000);
    expect(ask(directory, '/later')).toBe('200 here');
    rmSync(path);
    expect([ask(directory, '/later', {}, 'GET', T0 + 999), ask(directory, '/later', {}, 'GET', T0 + 1000)]).toEqual([
      '200 here',
      `200 ${PAGE}`,
    ]);
  });

  test('is kept no longer than any page', () => {
    expect(
      fieldOf(serve({ fallback: 'index.html', immutable: /route/ }).plan(request('/route'), T0), 'Cache-Control'),
    ).toBe('no-cache');
  });
});

describe('the listing', () => {
  const html = () => ask(serve({ listing: true }), '/list/');

  test('shows names as text, and links that lead to them', () => {
    expect(html()).toContain(
      '<a href="./%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E">&lt;img src=x onerror=alert(1)&gt;</a>',
    );
    expect(html()).toContain('<a href="./a%26b%22&#39;.txt">a&amp;b&quot;&#39;.txt</a>');
    expect(html()).toContain('<a href="./javascript%3Aalert(1)">javascript:alert(1)</a>');
    expect(html()).toContain('<a href="./100%25">100%</a>');
    expect(html()).toContain('<a href="./sub/">sub/</a>');
    expect(html()).toContain('<h1>/list/</h1>');
  });

  test('links to what is served', () => {
    const directory = serve({ listing: true });
    const links = [...html().matchAll(/href="\.\/([^"]*)"/g)].map(
      ([, href]) => `/list/${(href ?? '').replaceAll('&#39;', "'")}`,
    );
    expect(links).toHaveLength(5);
    for (const link of links) expect(ask(directory, link), link).toMatch(/^200/);
  });

  test('hides what is not served', () => {
    expect(html()).not.toContain('hidden');
    expect(html()).not.toContain('link');
    expect(ask(serve({ listing: true }), '/')).toBe(`200 ${PAGE}`);
  });

  test('is a page that cannot run scripts', () => {
    const plan = serve({ listing: true }).plan(request('/list/'), T0);
    expect(fieldOf(plan, 'Content-Security-Policy')).toBe("default-src 'none'; style-src 'unsafe-inline'");
  });

  test('has its slash, and only if it is enabled', () => {
    expect([ask(serve({ listing: true }), '/list'), ask(serve(), '/list'), ask(serve(), '/list/')]).toEqual([
      '301 /list/',
      'nothing',
      'nothing',
    ]);
    expect([
      ask(serve({ listing: true }), '/list/', {}, 'HEAD'),
      ask(serve({ listing: true }), '/list/', {}, 'POST'),
    ]).toEqual(['200', '405']);
    expect(ask(serve({ listing: true }), '/nowhere/')).toBe('nothing');
  });
});

test('hidden files and links, if they are allowed', () => {
  const directory = serve({ dotfiles: true, allowSymlinks: true });
  expect([ask(directory, '/.env'), ask(directory, '/out/secret'), ask(directory, '/../a.txt')]).toEqual([
    '200 hidden',
    '200 secret',
    'nothing',
  ]);
});

test('another index, or none', () => {
  expect([ask(serve({ index: 'b.txt' }), '/plain/'), ask(serve({ index: '' }), '/')]).toEqual(['200 b', 'nothing']);
});

test('many paths to one file are not all remembered', () => {
  const directory = serve();
  for (let i = 0; i < 5000; i++) {
    const escaped = Array.from('abcdefghi.txt', (char, at) =>
      (i >> at) & 1 ? `%${char.charCodeAt(0).toString(16)}` : char,
    ).join('');
    if (ask(directory, `/${escaped}`) !== '200 text') expect.fail(escaped);
  }
});

test('a root that is not a directory is refused at once', () => {
  expect(() => new Directory(folder.at('missing'))).toThrow('ENOENT');
  expect(() => new Directory(folder.at('a.txt'))).toThrow('root must be a directory');
  expect(() => new Directory(folder.path, { fallback: '../x' })).toThrow('fallback must be a path in the root');
});

test('a root that disappears and comes back', () => {
  const own = new Folder({ 'www/a': 'x' });
  const directory = new Directory(own.at('www'));
  open.push(directory);
  expect(ask(directory, '/a')).toBe('200 x');
  rmSync(own.at('www'), { recursive: true });
  expect(ask(directory, '/a', {}, 'GET', T0 + 1000)).toBe('nothing');
  mkdirSync(own.at('www'));
  own.write('www/a', 'y');
  expect(ask(directory, '/a', {}, 'GET', T0 + 2000)).toBe('200 y');
  own.remove();
});

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CachedFile, FILE_CACHE_DEFAULTS, FileCache } from '../../src/files/file-cache.ts';
import { planFile } from '../../src/files/serve-file.ts';
import { contentOf, Folder, request } from './folder.ts';

const STYLE = { type: 'text/plain', fields: [] };
const T0 = 1_700_000_000_000;
let folder: Folder;
let cache: FileCache;
beforeEach(() => {
  folder = new Folder();
  cache = new FileCache(folder.path);
});
afterEach(() => {
  cache.close();
  folder.remove();
});

/** Old enough to count as finished. */
function write(name: string, content: string, seconds = 1000): string {
  const path = folder.write(name, content);
  utimesSync(path, seconds, seconds);
  return path;
}

function ask(name: string, now: number, fields: Readonly<Record<string, string>> = {}): string {
  const found = cache.get(folder.at(name), now);
  if (typeof found === 'string') return found;
  return contentOf(planFile(request('/', fields), found, STYLE, now));
}

const openInFolder = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder.path);
    } catch {
      return false;
    }
  }).length;

describe('checks again each second', () => {
  test('changed content', () => {
    write('a', 'old');
    expect(ask('a', T0)).toBe('old');
    write('a', 'newer', 2000);
    expect([ask('a', T0 + 999), ask('a', T0 + 1000)]).toEqual(['old', 'newer']);
  });

  test('changed content of the same size and time', () => {
    write('a', 'old');
    expect(ask('a', T0)).toBe('old');
    write('a', 'new');
    expect(ask('a', T0 + 1000)).toBe('new');
  });

  test('content that was written while it was new', () => {
    writeFileSync(folder.at('a'), 'old');
    expect(ask('a', T0)).toBe('old');
    writeFileSync(folder.at('a'), 'new');
    expect(ask('a', T0 + 1000)).toBe('new');
  });

  test('a file that replaces it', () => {
    write('a', 'old');
    expect(ask('a', T0)).toBe('old');
    renameSync(write('b', 'new'), folder.at('a'));
    expect(ask('a', T0 + 1000)).toBe('new');
  });

  test('a removed file, and a new one', () => {
    write('a', 'old');
    expect(ask('a', T0)).toBe('old');
    rmSync(folder.at('a'));
    expect([ask('a', T0 + 999), ask('a', T0 + 1000)]).toEqual(['old', 'missing']);
    write('a', 'back');
    expect(ask('a', T0 + 1001)).toBe('back');
  });

  test('a file that became a directory', () => {
    write('a', 'old');
    expect(ask('a', T0)).toBe('old');
    rmSync(folder.at('a'));
    mkdirSync(folder.at('a'));
    expect(ask('a', T0 + 1000)).toBe('directory');
  });

  test('precompressed files that appear, change and disappear', () => {
    const br = { 'accept-encoding': 'br' };
    write('a', 'plain');
    expect(ask('a', T0, br)).toBe('plain');
    write('a.br', 'br');
    expect([ask('a', T0 + 999, br), ask('a', T0 + 1000, br)]).toEqual(['plain', 'br']);
    write('a.br', 'other br', 2000);
    expect(ask('a', T0 + 2000, br)).toBe('other br');
    rmSync(folder.at('a.br'));
    expect(ask('a', T0 + 3000, br)).toBe('plain');
    expect(cache.held).toEqual({ files: 1, bytes: 5, open: 0 });
  });

  test('even after the clock was set back', () => {
    write('a', 'old');
    expect(ask('a', T0)).toBe('old');
    write('a', 'newer', 2000);
    expect(ask('a', T0 - 5000)).toBe('newer');
  });

  test('an unchanged file stays the same object', () => {
    write('a', 'old');
    const first = cache.get(folder.at('a'), T0) as CachedFile;
    const { identity } = first;
    expect(cache.get(folder.at('a'), T0 + 5000)).toBe(first);
    expect(first.identity).toBe(identity);
  });
});

describe('anything but a file', () => {
  test('a directory, nothing, a path through a file, a FIFO, NUL', () => {
    write('a', 'x');
    mkdirSync(folder.at('d'));
    execFileSync('mkfifo', [folder.at('fifo')]);
    expect(['d', 'nothing', 'a/b', 'fifo', 'a\0'].map((name) => ask(name, T0))).toEqual([
      'directory',
      'missing',
      'missing',
      'missing',
      'missing',
    ]);
  });

  test.skipIf(process.getuid?.() === 0)('one that may not be read', () => {
    write('a', 'x');
    chmodSync(folder.at('a'), 0);
    expect(ask('a', T0)).toBe('missing');
  });
});

describe('links', () => {
  let outside: Folder;
  beforeEach(() => {
    outside = new Folder({ secret: 'secret', 'd/secret': 'secret' });
  });
  afterEach(() => outside.remove());

  test('within the root are followed', () => {
    write('a', 'inside');
    symlinkSync('a', folder.at('link'));
    expect(ask('link', T0)).toBe('inside');
  });

  test('out of the root are not, wherever they are in the path', () => {
    symlinkSync(outside.at('secret'), folder.at('link'));
    symlinkSync(outside.at('d'), folder.at('dir'));
    symlinkSync('link', folder.at('link-to-link'));
    symlinkSync('loop', folder.at('loop'));
    expect(['link', 'dir', 'dir/secret', 'link-to-link', 'loop'].map((name) => ask(name, T0))).toEqual([
      'missing',
      'missing',
      'missing',
      'missing',
      'missing',
    ]);
    const anywhere = new FileCache(null);
    expect(typeof anywhere.get(folder.at('dir/secret'), T0)).toBe('object');
    anywhere.close();
  });

  test('that replace a file later are not', () => {
    write('a', 'inside');
    expect(ask('a', T0)).toBe('inside');
    rmSync(folder.at('a'));
    symlinkSync(outside.at('secret'), folder.at('a'));
    expect(ask('a', T0 + 1000)).toBe('missing');
  });

  test('are not for precompressed files either', () => {
    write('a', 'inside');
    symlinkSync(outside.at('secret'), folder.at('a.br'));
    expect(ask('a', T0, { 'accept-encoding': 'br' })).toBe('inside');
  });

  test('a directory beside the root whose name begins alike is not in it', () => {
    const inner = new FileCache(folder.at('www'));
    write('www/a', 'inside');
    write('www-secret/a', 'secret');
    symlinkSync('../www-secret/a', folder.at('www/link'));
    expect([typeof inner.get(folder.at('www/a'), T0), inner.get(folder.at('www/link'), T0)]).toEqual([
      'object',
      'missing',
    ]);
    inner.close();
  });
});

describe('bounds', () => {
  test('of files; requested ones stay', () => {
    cache = new FileCache(folder.path, { ...FILE_CACHE_DEFAULTS, maxFiles: 4 });
    const often = write('often', 'x');
    const first = cache.get(often, T0);
    for (let i = 0; i < 20; i++) {
      write(`f${i}`, 'x');
      expect(ask(`f${i}`, T0)).toBe('x');
      expect(cache.get(often, T0)).toBe(first);
    }
    expect(cache.held.files).toBe(4);
  });

  test('of bytes', () => {
    cache = new FileCache(folder.path, { ...FILE_CACHE_DEFAULTS, maxBytes: 100 });
    for (let i = 0; i < 20; i++) {
      write(`f${i}`, 'x'.repeat(40));
      expect(ask(`f${i}`, T0)).toHaveLength(40);
    }
    expect(cache.held).toEqual({ files: 2, bytes: 80, open: 0 });
  });

  test('of descriptors; they are all closed at the end', () => {
    cache = new FileCache(folder.path, { ...FILE_CACHE_DEFAULTS, keepBelow: 10, maxOpen: 3 });
    for (let i = 0; i < 20; i++) {
      write(`f${i}`, 'x'.repeat(40));
      expect(ask(`f${i}`, T0)).toHaveLength(40);
    }
    expect([cache.held, openInFolder()]).toEqual([{ files: 3, bytes: 0, open: 3 }, 3]);
    cache.close();
    expect([cache.held, openInFolder()]).toEqual([{ files: 0, bytes: 0, open: 0 }, 0]);
  });

  test('a file larger than the whole cache is still served', () => {
    cache = new FileCache(folder.path, { ...FILE_CACHE_DEFAULTS, maxBytes: 10 });
    write('a', 'x'.repeat(40));
    expect(ask('a', T0)).toHaveLength(40);
  });

  test('a file that is being sent stays open after it is evicted', () => {
    cache = new FileCache(folder.path, { ...FILE_CACHE_DEFAULTS, keepBelow: 0 });
    const found = cache.get(write('a', 'old content'), T0) as CachedFile;
    const plan = planFile(request('/'), found, STYLE, T0);
    renameSync(write('b', 'new'), folder.at('a'));
    expect(ask('a', T0 + 1000)).toBe('new');
    expect(contentOf(plan, 4)).toBe('old content');
    expect(openInFolder()).toBe(1);
  });
});

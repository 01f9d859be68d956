import { symlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SingleFileOptions, SingleFiles } from '../../src/files/single-file.ts';
import { contentOf, Folder, fieldOf, request } from './folder.ts';

let folder: Folder;
let files: SingleFiles;
beforeAll(() => {
  folder = new Folder({ 'root/a.txt': 'a', 'root/.env': 'hidden', 'root/a.txt.gz': 'gz', secret: 'secret' });
  symlinkSync('../secret', folder.at('root/link'));
  files = new SingleFiles();
});
afterAll(() => {
  files.close();
  folder.remove();
});

const ask = (path: string, options?: SingleFileOptions, fields: Readonly<Record<string, string>> = {}) => {
  const plan = files.plan(request('/', fields), path, options);
  return `${plan.status} ${contentOf(plan)}`.trim();
};

test('a path without a root may lead anywhere', () => {
  expect(ask(folder.at('root/a.txt'))).toBe('200 a');
  expect(ask(folder.at('root/link'))).toBe('200 secret');
  expect(ask(folder.at('root/.env'))).toBe('200 hidden');
  expect(ask(folder.at('missing'))).toBe('404');
  expect(ask(folder.path)).toBe('404');
});

test('a path in a root stays there', () => {
  const root = folder.at('root');
  expect(
    ['a.txt', '/a.txt', '../secret', '/../secret', 'link', '.env', '', '/', 'a.txt\0', folder.at('secret')].map(
      (path) => ask(path, { root }),
    ),
  ).toEqual(['200 a', '200 a', '404', '404', '404', '404', '404', '404', '404', '404']);
  expect(() => ask('a', { root: folder.at('missing') })).toThrow('ENOENT');
});

test('type, fields and codings', () => {
  const path = folder.at('root/a.txt');
  const plan = files.plan(request('/'), path, { type: 'a/b', fields: [['X', 'y']] });
  expect([fieldOf(plan, 'Content-Type'), fieldOf(plan, 'X')]).toEqual(['a/b', 'y']);
  expect(fieldOf(files.plan(request('/'), path), 'Content-Type')).toBe('text/plain; charset=utf-8');
  const gzip = { 'accept-encoding': 'gzip' };
  expect([ask(path, {}, gzip), ask(path, { precompressed: false }, gzip)]).toEqual(['200 gz', '200 a']);
});

test('the same request gets the same answer object', () => {
  const path = folder.at('root/a.txt');
  expect(files.plan(request('/'), path)).toBe(files.plan(request('/'), path));
});

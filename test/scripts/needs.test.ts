import { expect, test } from 'vitest';
import { needsOf } from '../../scripts/contents/needs.ts';

test.each([
  ['Intl', 'const a = 1;\nnew Intl.Segmenter();', ['intl:2']],
  ['Intl behind typeof', "if (typeof Intl !== 'undefined') new Intl.Segmenter();", []],
  ['Intl that is tried', 'try { Intl.DateTimeFormat(); } catch {}', []],
  ['Intl in a comment and a text', '// Intl\nconst a = "Intl";', []],
  ['a property of a regular expression', 'const a = /^\\p{L}$/u;', ['properties:1']],
  ['the same letters without the flag', 'const a = /\\p{L}/;', []],
  ['a property in a text that becomes one', "new RegExp('\\\\p{L}', 'u');", ['properties:1']],
  ['normalize with a form', "'é'.normalize('NFD');", ['normalize:1']],
  ['normalize of something else', 'path.normalize(a);', []],
  ['node:sqlite, imported', "import { DatabaseSync } from 'node:sqlite';", ['sqlite:1']],
  ['node:sqlite, required', "const a = require('node:sqlite');", ['sqlite:1']],
  ['a module that is tried', "try { require('node:sqlite'); } catch {}", []],
  ['a module that the program loads later', "const open = () => require('node:sqlite');", ['sqlite:1']],
  ['syntax that nobody can read', 'Intl ??? ;', []],
])('%s', (_, text, expected) => {
  expect(needsOf('a.js', text).map(({ feature, line }) => `${feature}:${line}`)).toEqual(expected);
});

test('what a package loads only when it is asked to is not needed', () => {
  const file = 'node_modules/typescript/lib/_tsc.js';
  expect(needsOf(file, "function profile() { require('inspector'); }")).toEqual([]);
  expect(needsOf(file, "require('inspector');")).toHaveLength(1);
});

/** The description of a program: what it says, what is wrong with it, and where. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readProgram } from '../../scripts/program/program.ts';
import { schemaText } from '../../scripts/program/schema.ts';
import { root } from '../../scripts/support/checkout.ts';
import { UsageError } from '../../scripts/support/errors.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'vrypt-description-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): void {
  writeFileSync(path.join(folder, name), text);
}

test('the committed JSON Schema is the one that descriptions are checked against (UPDATE=1 writes it)', () => {
  const file = path.join(root, 'scripts/program/vrypt.release.schema.json');
  if (process.env['UPDATE']) writeFileSync(file, schemaText());
  expect(readFileSync(file, 'utf8')).toBe(schemaText());
});

test('a package.json alone describes a program: its name, version, entry and license files', () => {
  write('package.json', '{ "name": "@me/tool", "version": "2.0.0", "bin": { "tool": "./bin/tool.js" } }');
  write('LICENSE.md', 'mine');
  expect(readProgram(folder)).toMatchObject({
    file: 'vrypt.release.json',
    name: 'tool',
    version: '2.0.0',
    entry: 'bin/tool.js',
    licenses: ['LICENSE.md'],
    environment: 'closed',
    smoke: [],
    out: 'release',
  });
});

test('the field vrypt of package.json takes the place of a file', () => {
  write('package.json', '{\n  "name": "a",\n  "vrypt": { "entry": "b.js", "smoke": { "args": ["--version"] } }\n}');
  expect(readProgram(folder)).toMatchObject({ file: 'package.json', entry: 'b.js', smoke: [{ args: ['--version'] }] });
});

test.each([
  ['a wrong type', '{\n "name": "a",\n "entry": 5\n}', 'vrypt.release.json:3: entry must be a text, got 5'],
  [
    'an unknown field',
    '{\n "entri": "a.js"\n}',
    /^vrypt\.release\.json:2: entri is not a field that is known; there are /,
  ],
  [
    'a value outside its list',
    '{\n\n "environment": "ajar" }',
    /^vrypt\.release\.json:3: environment must be one of closed, open, got "ajar"$/,
  ],
  ['a bad name', '{ "name": "a b" }', /^vrypt\.release\.json:1: name must match .*, got "a b"$/],
  [
    'a deep fault',
    '{\n "smoke": {\n  "ask": [{ "status": "200" }]\n }\n}',
    'vrypt.release.json:3: smoke.ask.0.status must be a whole number, got "200"',
  ],
  ['an empty list of sessions', '{ "smoke": [] }', 'vrypt.release.json:1: smoke must have at least 1 items, got none'],
  ['something that is not JSON', '{', /^vrypt\.release\.json must be JSON: /],
])('%s is one line with file, line, rule and value', (_, text, message) => {
  write('vrypt.release.json', text);
  const read = (): unknown => readProgram(folder);
  expect(read).toThrow(UsageError);
  expect(read).toThrow(message);
});

test('a fault in the field of package.json is named there', () => {
  write('package.json', '{\n  "name": "a",\n  "vrypt": {\n    "workers": "w.js"\n  }\n}');
  expect(() => readProgram(folder)).toThrow('package.json:4: vrypt.workers must be a list, got "w.js"');
});

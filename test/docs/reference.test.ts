/** The reference has every export and every option with its default, and is what the declarations say. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { emitDeclarations } from '../../scripts/steps/package-npm.ts';
import { type Exported, exportsIn, referenceText } from '../../scripts/steps/reference.ts';
import { root } from '../../scripts/support/checkout.ts';
import { membersOf } from '../../scripts/support/declarations.ts';
import * as library from '../../src/index.ts';

let types = '';
let exported: Exported[] = [];
beforeAll(async () => {
  types = mkdtempSync(path.join(tmpdir(), 'vrypt-types-'));
  await emitDeclarations(types);
  exported = exportsIn(types);
}, 120_000);
afterAll(() => rmSync(types, { recursive: true }));

test('every export is in it, once', () => {
  const names = exported.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(library)));
  expect(new Set(names).size).toBe(names.length);
  const headings = [...referenceText(exported).matchAll(/^### (\w+)$/gm)].map((match) => match[1]);
  expect(headings.sort()).toEqual(names.sort());
});

test('every export says what it is, except types that their members explain', () => {
  const silent = exported.filter(({ declarations }) => {
    const isSelfEvident = declarations.every(({ head, members }) => head.startsWith('type ') || members.length > 0);
    return !isSelfEvident && declarations.every(({ doc }) => doc === '');
  });
  expect(silent.map(({ name }) => name)).toEqual([]);
});

test('every option has its default', () => {
  const optional = exported
    .filter(({ name }) => /(Options|Limits|Attributes|Deflate)$/.test(name) || name === 'SocketHandlers')
    .flatMap(({ name, declarations }) =>
      declarations.flatMap(({ members }) => members.map((member) => ({ ...member, path: `${name}.${member.name}` }))),
    )
    // Handlers, which are either there or not.
    .filter(({ code, path: full }) => (full.includes('Limits.') || code.includes('?:')) && !code.includes('=>'));
  expect(optional.length).toBeGreaterThan(20);
  const without = optional.filter(({ doc }) => !/default|without|instead of|unless/i.test(doc));
  expect(without.map(({ path: full }) => full)).toEqual([]);
});

test('reads members as the compiler writes them', () => {
  const body = `
    /** Default 1. */
    readonly a?: number | undefined;
    #private;
    private readonly brand;
    /**
     * Two
     * lines.
     */
    b<T>(c: { d: string; e: () => void }): T;
`;
  expect(membersOf(body)).toEqual([
    { name: 'a', code: 'a?: number', doc: 'Default 1.', isOptional: true },
    { name: 'b', code: 'b<T>(c: { d: string; e: () => void }): T', doc: 'Two lines.', isOptional: false },
  ]);
});

test('docs/reference.md is up to date', () => {
  const file = path.join(root, 'docs/reference.md');
  const expected = referenceText(exported);
  if (process.env['UPDATE']) writeFileSync(file, expected);
  else expect(readFileSync(file, 'utf8'), 'npm run readme updates it').toBe(expected);
});

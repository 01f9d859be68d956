import { expect, test } from 'vitest';
import { neededDeclarations } from '../../scripts/formats/needed-declarations.ts';

test('declarations that no export leads to are left out, with the imports and files that only they need', () => {
  const needed = neededDeclarations(
    new Map([
      ['index.d.ts', "/** All. */\nimport './run.js';\nexport { type A, b as c } from './a.js';\n"],
      [
        'a.d.ts',
        `/** A file. */
import type { Used } from './deep/used.js';
import { type Unused } from './unused.js';
/** Either. */
export type A =
/** One. */
{
    readonly one: Used;
}
/** Two. */
 | {
    readonly two: number;
};
/** Not exported, and needed. */
interface Local {
    readonly local: import('./local.js').Far;
}
export declare function b(local: Local): void;
/** Of nobody. */
export declare class Gone {
    readonly unused: Unused;
}
`,
      ],
      ['deep/used.d.ts', 'export interface Used {\n}\nexport interface Idle {\n}\n'],
      ['unused.d.ts', 'export interface Unused {\n}\n'],
      ['local.d.ts', 'export interface Far {\n}\n'],
      ['run.d.ts', 'export {};\n'],
    ]),
  );
  expect([...needed.keys()]).toEqual(['index.d.ts', 'a.d.ts', 'deep/used.d.ts', 'local.d.ts']);
  expect(needed.get('index.d.ts')).toBe("export { type A, b as c } from './a.js';\n");
  expect(needed.get('deep/used.d.ts')).toBe('export interface Used {\n}\n');
  const a = needed.get('a.d.ts') ?? '';
  expect(a).toContain('/** Either. */');
  expect(a).toContain('readonly two');
  expect(a).toContain('interface Local');
  expect(a).not.toMatch(/nused|Gone/);
});

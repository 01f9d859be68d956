/** What becomes of a program's TypeScript. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { toJavaScript } from '../../scripts/contents/typescript.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync('/tmp/vrypt-typescript-');
});
afterEach(() => rmSync(folder, { recursive: true }));

function compiled(files: Readonly<Record<string, string>>, file = 'src/a.ts'): ReturnType<typeof toJavaScript> {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return toJavaScript(folder, file);
}

test('types are blanked out, so that every line and column stays', async () => {
  const text = 'import { a } from "./b.ts";\nconst c: string = a;\nexport { c };\n';
  const { code, hasSourceMap } = await compiled({ 'src/a.ts': text });
  expect(code).toBe('import { a } from "./b.ts";\nconst c         = a;\nexport { c };\n');
  expect(hasSourceMap).toBe(false);
});

test('an import of what is only a type disappears, though nobody wrote `type`', async () => {
  const text = "import express, { Request } from 'express';\nexport const a = (r: Request) => express(r);\n";
  const { code } = await compiled({ 'src/a.ts': text });
  expect(code).toContain('import express from "express"');
});

test('verbatimModuleSyntax keeps it', async () => {
  const config = '{ "compilerOptions": { "verbatimModuleSyntax": true } }';
  const { code } = await compiled({ 'src/a.ts': "import { A } from './b.ts';\n", 'tsconfig.json': config });
  expect(code).toContain('import { A } from "./b.ts"');
});

test.each([
  ['an enum', 'export enum A { B }\n'],
  ['a decorator', '@f\nexport class A {}\ndeclare const f: any;\n'],
])('%s is compiled, and its map names the source beside it', async (_, text) => {
  const { code, hasSourceMap } = await compiled({ 'src/a.ts': text });
  expect(hasSourceMap).toBe(true);
  const map = /sourceMappingURL=data:application\/json;base64,(\S+)/.exec(code)?.[1] ?? '';
  expect(JSON.parse(Buffer.from(map, 'base64').toString())).toMatchObject({
    sources: ['a.ts'],
    sourcesContent: [text],
  });
  expect(code).not.toMatch(/^\s*@/m);
});

test('settings that a tsconfig.json inherits count', async () => {
  const files = {
    'base.json': '{ "compilerOptions": { "experimentalDecorators": true } }',
    'tsconfig.json': '{ "extends": "./base.json" }',
    'src/a.ts': 'class A { f(@p a: number) { return a; } }\nnew A();\ndeclare const p: any;\n',
  };
  expect((await compiled(files)).code).toContain('__decorateParam');
});

test("types at run time are refused without the project's own TypeScript", async () => {
  const files = {
    'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }',
    'src/a.ts': '@f\nclass A { constructor(b: Date) {} }\ndeclare const f: any;\n',
  };
  await expect(compiled(files)).rejects.toThrow(
    "src/a.ts: tsconfig.json says emitDecoratorMetadata, which the project's own TypeScript must write",
  );
});

test('what nobody can compile is refused with file and line', async () => {
  await expect(compiled({ 'src/a.ts': '\nenum A {\n' })).rejects.toThrow(/^src\/a\.ts:\d: /);
});

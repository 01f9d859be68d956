import { expect, test } from 'vitest';
import { chooseQemu, pinnedQemu, type Qemu, qemuVersion } from '../../scripts/sandbox/qemu.ts';
import { allSources, sourcesFor } from '../../scripts/sources/sources.ts';
import type { Machine } from '../../scripts/targets/architectures.ts';
import { readTargets } from '../../scripts/targets/targets.ts';

test.each<[string, Machine, string | undefined, Qemu]>([
  ['ARM runs under any QEMU', 'arm', '7.2.22', 'installed'],
  ['… and apt installs one if there is none', 'aarch64', undefined, 'installed'],
  ['i686 does not run under 7.2', 'i386', '7.2.22', 'pinned'],
  ['… but does under 8.0', 'i386', '8.0.0', 'installed'],
  ['… and under 10.0, which is newer than 8.0', 'i386', '10.0.13', 'installed'],
  ['… and gets its own if there is none', 'i386', undefined, 'pinned'],
])('%s', (_, machine, version, qemu) => {
  expect(chooseQemu(machine, version)).toBe(qemu);
});

test('a missing emulator has no version', () => {
  expect(qemuVersion('/nowhere/qemu-i386-static')).toBeUndefined();
});

test('the pinned QEMU is one that i686 runs under', () => {
  expect(chooseQemu('i386', pinnedQemu().version)).toBe('installed');
});

test('no runtime is built from files that are only for trying it', () => {
  const trial = allSources.filter(({ use }) => use === 'trial');
  expect(trial).toContain(pinnedQemu());
  for (const target of readTargets().targets) {
    expect(sourcesFor(target).filter((source) => trial.includes(source))).toEqual([]);
  }
});

/**
 * Whether this machine runs a target's executables itself, found out by trying, and the emulator where it does not. An
 * x86_64 kernel may be built or booted without support for 32-bit programs.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { minimalElf } from '../formats/minimal-elf.ts';
import { build } from '../support/checkout.ts';
import type { Architecture } from '../targets/architectures.ts';
import type { Target } from '../targets/targets.ts';
import { needQemu, type Qemu, qemuFor } from './qemu.ts';

/** Tried once per process and architecture. */
export function runsNatively({ architecture }: Pick<Target, 'architecture'>): boolean {
  let answer = answers.get(architecture.name);
  if (answer === undefined) {
    answer = tryProgram(architecture);
    answers.set(architecture.name, answer);
  }
  return answer;
}

/** How this machine runs a target's executables. Installs and fetches nothing. */
export type Way = 'native' | Qemu;

export function wayToRun(target: Target): Way {
  return runsNatively(target) ? 'native' : qemuFor(target);
}

/** The path of the target's emulator; undefined when this machine runs it natively. */
export async function emulatorFor(target: Target): Promise<string | undefined> {
  return runsNatively(target) ? undefined : needQemu(target);
}

const answers = new Map<string, boolean>();

function tryProgram({ elf, exitCode }: Architecture): boolean {
  if (exitCode === null) return false;
  mkdirSync(build, { recursive: true });
  const folder = mkdtempSync(path.join(build, 'try-'));
  try {
    const file = path.join(folder, 'exit');
    writeFileSync(file, minimalElf(elf, Buffer.from(exitCode, 'hex')), { mode: 0o755 });
    return spawnSync(file).status === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

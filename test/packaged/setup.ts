/**
 * Makes the archives for the packaged tests through the toolchain's own cached steps, or tells the tests why they are
 * unavailable on this machine.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { emulatorFor } from '../../scripts/sandbox/emulation.ts';
import { root } from '../../scripts/support/checkout.ts';
import { canHave, tools } from '../../scripts/support/system-tools.ts';
import { findTargets, readTargets } from '../../scripts/targets/targets.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Why there are no executables; empty if there are. */
    unavailable: string;
  }
}

export const packagedTriples = ['x86_64-unknown-linux-musl', 'i686-unknown-linux-musl'] as const;

export default async function setup(project: TestProject): Promise<void> {
  const unavailable = await whyNot();
  project.provide('unavailable', unavailable);
  if (unavailable !== '') {
    process.stderr.write(`packaged tests are skipped: ${unavailable}\n`);
    return;
  }
  const script = path.join(root, 'scripts/steps/archive.ts');
  const args = packagedTriples.flatMap((triple) => ['--target', triple]);
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`scripts/steps/archive.ts ended with exit code ${status}:\n${stderr}`);
  // Not in the tests, which run concurrently and without a lock.
  for (const target of findTargets(readTargets(), packagedTriples)) await emulatorFor(target);
}

async function whyNot(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'packaging requires Linux on x86_64';
  for (const tool of [tools.xz, tools.curl]) {
    if (!(await canHave(tool)))
      return `${tool.look} is missing; type: sudo apt-get install -y ${tool.packages.join(' ')}`;
  }
  return '';
}

/** Releases must not depend on the machine: every runtime that may make the blob makes the same one. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { commandOf, generatorCandidates } from '../../scripts/steps/blob-generator.ts';
import { root } from '../../scripts/support/checkout.ts';

const unavailable = inject('unavailable');

test.skipIf(unavailable !== '')('every static 32-bit runtime makes the same blob', async () => {
  const targets = generatorCandidates();
  const names = targets.flatMap(({ triple }) => ['--target', triple]);
  // A separate process, because it waits for the checkout's lock.
  execFileSync(process.execPath, [path.join(root, 'scripts/steps/node-binary.ts'), ...names], { stdio: 'pipe' });
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-blob-'));
  try {
    writeFileSync(path.join(folder, 'main.cjs'), 'console.log("é");\n'.repeat(1000));
    const config = { main: 'main.cjs', output: 'blob', disableExperimentalSEAWarning: true };
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
    const blobs: Buffer[] = [];
    for (const target of targets) {
      const [program = '', ...before] = (await commandOf(target)).command;
      execFileSync(program, [...before, '--experimental-sea-config', 'config.json'], { cwd: folder, stdio: 'pipe' });
      blobs.push(readFileSync(path.join(folder, 'blob')));
      rmSync(path.join(folder, 'blob'));
    }
    const [first = Buffer.alloc(0), ...others] = blobs;
    expect(first.length).toBeGreaterThan(18_000);
    expect(others.length).toBeGreaterThan(0);
    for (const other of others) expect(other.equals(first)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

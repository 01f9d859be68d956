import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { root } from '../../scripts/project.ts';

const steps = ['bundle', 'base', 'close-environment', 'package', 'verify', 'archive', 'smoke', 'checksums', 'release'];

function run(step: string, ...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [`${root}/scripts/${step}.ts`, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

test.each(steps)('npm run %s exists', (step) => {
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  expect(scripts[step]).toBe(`node scripts/${step}.ts`);
});

test.concurrent.each(steps)('%s refuses an unknown target with one line and exit code 2', async (step) => {
  const { code, stdout, stderr } = await run(step, '--target', 'vax');
  expect(stderr).toMatch(/^--target wants one of [^\n]+; got "vax"\n$/);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test.concurrent.each(steps)('%s refuses an unknown option with one line and exit code 2', async (step) => {
  const { code, stdout, stderr } = await run(step, '--fast');
  expect(stderr).toMatch(/^[^\n]*--fast[^\n]*\n$/);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test.concurrent.each(steps)('%s --help says what it does', async (step) => {
  const { code, stdout } = await run(step, '--help');
  expect(stdout).toMatch(/^[A-Z].*\.\n\n.*--target <triple>/);
  expect(code).toBe(0);
});

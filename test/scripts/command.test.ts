import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { root } from '../../scripts/support/checkout.ts';

const steps = ['bundle', 'node-binary', 'close-environment', 'package', 'verify', 'archive', 'smoke', 'checksums'];
const commands = [...steps, 'release'];

function fileOf(command: string): string {
  return command === 'release' ? 'scripts/release.ts' : `scripts/steps/${command}.ts`;
}

function run(step: string, ...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [`${root}/${fileOf(step)}`, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

test.each(commands)('npm run %s exists', (step) => {
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  expect(scripts[step]).toBe(`node ${fileOf(step)}`);
});

test.concurrent.each(commands)('%s refuses an unknown target with one line and exit code 2', async (step) => {
  const { code, stdout, stderr } = await run(step, '--target', 'vax');
  expect(stderr).toMatch(/^--target must be one of [^\n]+; got "vax"\n$/);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test.concurrent.each(commands)('%s refuses an unknown option with one line and exit code 2', async (step) => {
  const { code, stdout, stderr } = await run(step, '--fast');
  expect(stderr).toMatch(/^[^\n]*--fast[^\n]*\n$/);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test.concurrent.each(commands)('%s --help says what it does', async (step) => {
  const { code, stdout } = await run(step, '--help');
  expect(stdout).toMatch(/^[A-Z].*\.\n\n.*--target <triple>/);
  expect(code).toBe(0);
});

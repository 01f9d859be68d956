import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { inBuildOrder, v8SourceOf } from '../../scripts/runtime/platforms.ts';
import { stepsOf } from '../../scripts/runtime/steps.ts';
import { root } from '../../scripts/support/checkout.ts';
import { readTargets, type Target } from '../../scripts/targets/targets.ts';

const { targets } = readTargets();

function build(...args: string[]): Promise<unknown> {
  return promisify(execFile)(process.execPath, [join(root, 'scripts/runtime/build.ts'), ...args]);
}

test.concurrent.each([
  [['--target', 'sparc'], /^--target must be one of [^\n]*, got "sparc"|; got "sparc"\n$/],
  [['--fast'], /^[^\n]*--fast[^\n]*\n$/],
  [[], /^--target <triple> or --all must be given, got neither\n$/],
])('npm run runtime refuses %j with one line and exit code 2', async (args, message) => {
  await expect(build(...args)).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(message),
  });
});

test('a runtime takes V8 only from an earlier one of its own architecture', () => {
  const ordered = inBuildOrder(targets);
  expect(ordered).toHaveLength(targets.length);
  for (const [index, target] of ordered.entries()) {
    const source = v8SourceOf(target);
    if (source === undefined) continue;
    expect(source.architecture).toBe(target.architecture);
    expect(v8SourceOf(source)).toBeUndefined();
    expect(ordered.findIndex(({ triple }) => triple === source.triple)).toBeLessThan(index);
  }
});

test.each(targets)('$triple: every step of its runtime has a unique name and a file', (target: Target) => {
  const steps = stepsOf(target);
  expect(new Set(steps.map(({ name }) => name)).size).toBe(steps.length);
  for (const { module } of steps) expect(module).toMatch(/\/scripts\/(runtime|sources)\/[\w-]+\.ts$/);
});

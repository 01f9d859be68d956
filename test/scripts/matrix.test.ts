import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { root } from '../../scripts/support/checkout.ts';
import { matrixRows } from '../../scripts/targets/target-facts.ts';
import { readTargets } from '../../scripts/targets/targets.ts';

const { targets } = readTargets();

function run(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
}

function matrix(...args: string[]): string {
  return run('scripts/matrix.ts', ...args).stdout;
}

test('the printed matrix has one row for each target with a runtime', () => {
  const printed = JSON.parse(matrix());
  const ready = targets.filter((target) => target.runtime !== null).map((target) => target.triple);
  expect(printed.include.map((row: { target: string }) => row.target)).toEqual(ready);
  expect(printed.include).toEqual(matrixRows(targets));
});

test('the matrix is one line, as a job output must be', () => {
  expect(matrix()).toMatch(/^[^\n]+\n$/);
  expect(matrix('--runtimes')).toMatch(/^[^\n]+\n$/);
});

test('the Markdown table has a row for each target, in order', () => {
  const rows = matrix('--markdown').trim().split('\n').slice(2);
  expect(rows.map((row) => /`(.+?)`/.exec(row)?.[1])).toEqual(targets.map((target) => target.triple));
});

test('the packages are those that the workflows install', () => {
  expect(matrix('--packages').trim().split('\n')).toEqual([
    'ca-certificates',
    'curl',
    'dpkg',
    'qemu-user-static',
    'tar',
    'util-linux',
    'xz-utils',
  ]);
});

test('the matrix of the runtimes has one job per architecture, with both of its targets', () => {
  const { include } = JSON.parse(matrix('--runtimes'));
  expect(include).toHaveLength(new Set(targets.map(({ architecture }) => architecture)).size);
  const named = include.flatMap((row: { arguments: string }) => row.arguments.split(' '));
  expect(named.sort()).toEqual(targets.map(({ triple }) => `--target=${triple}`).sort());
  const [one] = JSON.parse(matrix('--runtimes', 'i686-unknown-linux-musl')).include;
  expect(one).toEqual({ name: 'i686', arguments: '--target=i686-unknown-linux-musl' });
});

test.each([
  [['--runtimes', 'vax'], 'got "vax"'],
  [['vax'], 'only --runtimes takes arguments, got "vax"'],
  [['--fast'], '--fast'],
])('refuses %j with one line and exit code 2', (args, message) => {
  const { status, stdout, stderr } = run('scripts/matrix.ts', ...args);
  expect(stderr).toMatch(/^[^\n]+\n$/);
  expect(stderr).toContain(message);
  expect([status, stdout]).toEqual([2, '']);
});

test('a Node that cannot run TypeScript prints one line that says which one can', () => {
  const { status, stdout, stderr } = run('--no-experimental-strip-types', 'scripts/matrix.ts');
  expect(stderr).toMatch(
    /^scripts\/matrix\.ts must be run by Node 22\.18 or newer \(24 is recommended\), got v[^\n]+\n$/,
  );
  expect([status, stdout]).toEqual([2, '']);
});

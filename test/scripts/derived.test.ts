import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { matrixRows } from '../../scripts/derived.ts';
import { root } from '../../scripts/project.ts';
import { readTargets } from '../../scripts/targets.ts';

const { targets } = readTargets();

function matrix(...args: string[]): string {
  return spawnSync(process.execPath, [`${root}/scripts/matrix.ts`, ...args], { encoding: 'utf8' }).stdout;
}

test('the printed matrix has one row for each target with a runtime', () => {
  const printed = JSON.parse(matrix());
  const ready = targets.filter((target) => target.runtime !== null).map((target) => target.triple);
  expect(printed.include.map((row: { target: string }) => row.target)).toEqual(ready);
  expect(printed.include).toEqual(matrixRows(targets));
});

test('the matrix is one line, as a job output must be', () => {
  expect(matrix()).toMatch(/^[^\n]+\n$/);
});

test('the table for people has a row for each target, in order', () => {
  const rows = matrix('--markdown').trim().split('\n').slice(2);
  expect(rows.map((row) => /`(.+?)`/.exec(row)?.[1])).toEqual(targets.map((target) => target.triple));
});

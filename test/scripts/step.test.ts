import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { build } from '../../scripts/support/checkout.ts';
import { once } from '../../scripts/support/once.ts';
import { cores, withSlot } from '../../scripts/support/slots.ts';
import { runStep } from '../../scripts/support/step.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-step-'));
const output = path.join(folder, 'result');
let runs = 0;

afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(path.join(build, 'stamps/step-under-test.json'), { force: true });
});

function make(input: string): Promise<{ facts: { run: number }; skipped: boolean }> {
  return runStep({
    step: 'step-under-test',
    inputs: { input },
    module: import.meta.filename,
    outputs: [output],
    make: async () => {
      await writeFile(output, input);
      return { run: ++runs };
    },
  });
}

test('a step runs once and is then skipped, with its facts, while nothing changes', async () => {
  expect(await make('a')).toMatchObject({ skipped: false, facts: { run: 1 } });
  expect(await make('a')).toMatchObject({ skipped: true, facts: { run: 1 } });
});

test('another input makes it run again', async () => {
  expect(await make('b')).toMatchObject({ skipped: false, facts: { run: 2 } });
});

test('so does an output that was changed or removed', async () => {
  writeFileSync(output, 'not ours');
  expect(await make('b')).toMatchObject({ skipped: false });
  rmSync(output);
  expect(await make('b')).toMatchObject({ skipped: false });
  expect(existsSync(output)).toBe(true);
});

test('an output is a new file: a hard link to the old one keeps its content', async () => {
  await make('c');
  linkSync(output, `${output}.link`);
  await make('d');
  expect([readFileSync(`${output}.link`, 'utf8'), readFileSync(output, 'utf8')]).toEqual(['c', 'd']);
});

test('a step that fails is not remembered as done', async () => {
  const fail = (): Promise<unknown> =>
    runStep({
      step: 'step-under-test',
      inputs: {},
      module: import.meta.filename,
      outputs: [],
      make: () => Promise.reject(new Error('no')),
    });
  await expect(fail()).rejects.toThrow('no');
  await expect(fail()).rejects.toThrow('no');
});

test('the same work is done once, however many callers ask for it', async () => {
  let count = 0;
  const work = (): Promise<number> => Promise.resolve(++count);
  expect(await Promise.all([once('test', work), once('test', work)])).toEqual([1, 1]);
});

test('at most one per core runs at a time, and all get their turn', async () => {
  let now = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
  };
  await Promise.all(Array.from({ length: 50 }, () => withSlot(work)));
  expect(now).toBe(0);
  expect(most).toBeLessThanOrEqual(cores);
});

import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { Way } from '../../scripts/sandbox/emulation.ts';
import { chooseGenerator, generatorTools, quoted } from '../../scripts/steps/blob-generator.ts';
import { isReady, readTargets } from '../../scripts/targets/targets.ts';

const both = (i686: Way, armv7: Way): { target: string; way: Way }[] => [
  { target: 'i686', way: i686 },
  { target: 'armv7', way: armv7 },
];

test.each([
  ['i686 if it runs natively', both('native', 'installed'), 'i686'],
  ['armv7 if i686 would have to download a QEMU', both('pinned', 'installed'), 'armv7'],
  ['i686 if both run under the installed QEMU', both('installed', 'installed'), 'i686'],
  ['i686 under the pinned QEMU if there is nothing else', both('pinned', 'installed').slice(0, 1), 'i686'],
  ['none if there is none', [], undefined],
])('the blob of 32-bit targets comes from %s', (_, candidates, chosen) => {
  expect(chooseGenerator(candidates)).toBe(chosen);
});

test('64-bit targets need no tool for the blob', () => {
  const targets = readTargets().targets.filter(isReady);
  expect(generatorTools(targets.filter((target) => target.architecture.elf.class === 64))).toEqual([]);
});

test.each(['/a folder/node', "/it's/$HOME/`x`", '/"double"/\\back'])('the script may contain %s', (word) => {
  expect(execFileSync('sh', ['-c', `printf %s ${quoted(word)}`], { encoding: 'utf8' })).toBe(word);
});

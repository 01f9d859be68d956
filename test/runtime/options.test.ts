import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseOptions } from '../../scripts/runtime/options.ts';
import { PROJECT } from '../../scripts/runtime/paths.ts';
import { PLATFORMS } from '../../scripts/runtime/platforms.ts';
import { readTargets } from '../../scripts/targets.ts';

const triples = (args: string[]) => {
  const options = parseOptions(args);
  return typeof options === 'string' ? options : options.platforms.map((platform) => platform.triple);
};

describe('the command line', () => {
  test('takes several targets, in the order in which they must be built', () => {
    const [musl = '', gnu = ''] = ['armv7-unknown-linux-musleabihf', 'armv7-unknown-linux-gnueabihf'];
    expect(triples(['--target', gnu, `--target=${musl}`])).toEqual([musl, gnu]);
  });

  test('knows all', () => expect(triples(['--all'])).toHaveLength(8));

  test.each([
    [['--target', 'sparc'], '--target wants one of', 'got "sparc"'],
    [['--target'], '--target wants one of', 'got ""'],
    [['--fast'], 'unknown option "--fast"', ''],
    [[], 'nothing to do', ''],
  ])('refuses %j with one line', (args, start, end) => {
    const message = String(parseOptions(args));
    expect(message).not.toContain('\n');
    expect(message.startsWith(start)).toBe(true);
    expect(message).toContain(end);
  });

  test('a bad option ends with code 2 and nothing on standard output', async () => {
    const run = promisify(execFile)(process.execPath, [join(PROJECT, 'scripts/runtime/build.ts'), '--target', 'x']);
    await expect(run).rejects.toMatchObject({ code: 2, stdout: '' });
  });
});

test('every target of the product has a platform, and the other way round', () => {
  const names = readTargets().targets.map((target) => target.triple);
  expect(PLATFORMS.map((platform) => platform.triple).sort()).toEqual(names.sort());
});

test.each(readTargets().targets)('$triple: both tables say the same of its file', (target) => {
  const platform = PLATFORMS.find((candidate) => candidate.triple === target.triple);
  expect(platform).toMatchObject({
    libc: target.libc,
    emulator: target.emulator,
    elf: { machine: target.elf.machine, bits: target.elf.class, interpreter: target.interpreter },
  });
});

test('a runtime takes objects only from one of its own architecture, built before it', () => {
  for (const [index, platform] of PLATFORMS.entries()) {
    const sibling = PLATFORMS.findIndex((candidate) => candidate.triple === platform.core);
    if (platform.core === null) continue;
    expect(PLATFORMS[sibling]).toMatchObject({ cpu: platform.cpu, cpuFlags: platform.cpuFlags, core: null });
    expect(sibling).toBeLessThan(index);
  }
});

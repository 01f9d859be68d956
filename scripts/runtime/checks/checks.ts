/**
 * What a finished runtime must be, read from the file and tried by running it. Each check is a sentence: BUILD.json lists
 * the ones that hold, and the error the others with what was found.
 */
import { spawn } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { $ } from 'zx';
import { highestGlibc, isNewer, readElf } from '../../formats/elf.ts';
import { fuse, noteName } from '../../formats/sea-blob.ts';
import { findSource } from '../../sources/sources.ts';
import { root as checkout } from '../../support/checkout.ts';
import { Failure } from '../../support/errors.ts';
import { allowedLibraries } from '../../targets/target-facts.ts';
import type { Target } from '../../targets/targets.ts';
import { work } from '../paths.ts';
import { makeRoot, type Root } from './root.ts';

const maxBytes = 52_000_000;
const maxCompressedBytes = 12_000_000;

/** Throws an error that lists everything that does not hold. */
export async function checkRuntime(target: Target, executable: string, compressed: string): Promise<string[]> {
  const passed: string[] = [];
  const failed: string[] = [];
  const expect = (sentence: string, holds: boolean, finding: unknown): void => {
    if (holds) passed.push(sentence);
    else failed.push(`${sentence}: ${typeof finding === 'string' ? finding : JSON.stringify(finding)}`);
  };
  await checkFile(target, executable, compressed, expect);
  const root = await makeRoot(target, executable);
  await checkBehaviour(root, expect);
  await checkHardening(root, expect);
  await checkSea(root, executable, expect);
  if (failed.length > 0)
    throw new Failure(`${target.triple} must keep every rule, breaks ${failed.length}:\n${failed.join('\n')}`);
  return passed;
}

type Expect = (sentence: string, holds: boolean, finding: unknown) => void;

async function checkFile(target: Target, executable: string, compressed: string, expect: Expect): Promise<void> {
  const bytes = await readFile(executable);
  const elf = readElf(bytes);
  const { interpreter, oldest } = target;
  const { machine, class: bits } = target.architecture.elf;
  expect(`an ELF file for ${machine}, ${bits} bits`, elf.machine === machine && elf.class === bits, elf);
  expect('stripped', !elf.hasSymbolTable, 'has a symbol table');
  if (oldest.glibc === null) {
    expect('static: no interpreter, no needed library', elf.interpreter === null && elf.needed.length === 0, elf);
  } else {
    const glibc = highestGlibc(elf.versionsRequired);
    const allowed = allowedLibraries(target);
    expect(`interpreter ${interpreter}`, elf.interpreter === interpreter, elf.interpreter);
    expect(
      'needs only libraries of glibc itself',
      elf.needed.every((name) => allowed.includes(name)),
      elf.needed,
    );
    expect(
      `requires no symbol newer than glibc ${oldest.glibc}`,
      glibc !== null && !isNewer(glibc, oldest.glibc),
      glibc,
    );
  }
  const leak = [work, checkout, '/root/', '/home/'].find((path) => bytes.includes(path));
  expect('no path of the build machine inside', leak === undefined, leak);
  expect(`at most ${maxBytes} bytes`, bytes.length <= maxBytes, bytes.length);
  const { size } = await stat(compressed);
  expect(`at most ${maxCompressedBytes} bytes compressed`, size <= maxCompressedBytes, size);
}

async function checkBehaviour(root: Root, expect: Expect): Promise<void> {
  const version = await root.run('node', ['--version']);
  expect(
    `reports v${findSource('node').version}`,
    version.stdout.trim() === `v${findSource('node').version}`,
    version.text(),
  );
  const { stdout, stderr, exitCode } = await root.run('node', [root.pathOf('behaviour.cjs')]);
  expect(
    'runs alone in its root',
    exitCode === 0 && stdout.startsWith('{'),
    `exit code ${exitCode}: ${stdout}${stderr}`,
  );
  if (!stdout.startsWith('{')) return;
  const result: { passed: string[]; failed: Record<string, string> } = JSON.parse(stdout);
  for (const name of result.passed) expect(name, true, '');
  for (const [name, reason] of Object.entries(result.failed)) expect(name, false, reason);
}

async function checkHardening(root: Root, expect: Expect): Promise<void> {
  await writeFile(join(root.folder, 'foreign.cjs'), 'console.log("foreign code");');
  const options = await root.run('node', ['-p', '1'], { NODE_OPTIONS: `--require ${root.pathOf('foreign.cjs')}` });
  expect('ignores NODE_OPTIONS', options.stdout === '1\n' && options.exitCode === 0, options.text());
  const inspect = await root.run('node', ['--inspect=127.0.0.1:9229', '-p', '1']);
  expect('refuses --inspect', inspect.exitCode === 9, inspect.text());
  expect('SIGUSR1 opens no debugger', !(await opensPortAtSigusr1(root)), 'something listens on 127.0.0.1:9229');
}

async function opensPortAtSigusr1(root: Root): Promise<boolean> {
  const [file, ...args] = root.command('node', ['-e', 'setInterval(() => {}, 1000); console.log("up")']);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGUSR1');
  await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 2000))]);
  // Not a connection: another process of this machine may own the port.
  const listening = await $({ nothrow: true, quiet: true })`ss -Hltnp sport = :9229`;
  child.kill('SIGKILL');
  await gone;
  return listening.stdout.includes(`pid=${child.pid},`);
}

/** As pkg packages it: a blob made by this very runtime, injected by postject, run in the sandbox. */
async function checkSea(root: Root, executable: string, expect: Expect): Promise<void> {
  const main =
    "const sea = require('node:sea'); console.log(sea.isSea(), sea.getAsset('a', 'utf8'), process.argv.length);";
  await writeFile(join(root.folder, 'main.cjs'), main);
  await writeFile(join(root.folder, 'asset.txt'), 'asset');
  const config = {
    main: root.pathOf('main.cjs'),
    output: root.pathOf('blob'),
    disableExperimentalSEAWarning: true,
    assets: { a: root.pathOf('asset.txt') },
  };
  await writeFile(join(root.folder, 'sea.json'), JSON.stringify(config));
  const blob = await root.run('node', ['--experimental-sea-config', root.pathOf('sea.json')]);
  expect('makes a SEA blob', blob.exitCode === 0, blob.text());
  if (blob.exitCode !== 0) return;
  const { inject } = createRequire(import.meta.url)('postject');
  await $`cp ${executable} ${root.folder}/app && chmod 755 ${root.folder}/app`;
  await inject(join(root.folder, 'app'), noteName, await readFile(join(root.folder, 'blob')), {
    sentinelFuse: fuse,
  });
  const app = await root.run('app', ['x', 'y']);
  expect('runs with a SEA blob inside', app.stdout === 'true asset 4\n', app.text());
}

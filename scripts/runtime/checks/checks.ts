/**
 * What a finished runtime must be, read from the file and tried by running it. Each check is a sentence: BUILD.json lists
 * the ones that hold, and the error the others with what was found.
 */
import { spawn } from 'node:child_process';
import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { $ } from 'zx';
import { highestGlibc, isNewer, readElf } from '../../formats/elf.ts';
import { fuse, noteName } from '../../formats/sea-blob.ts';
import { runsNatively } from '../../sandbox/emulation.ts';
import { findSource } from '../../sources/sources.ts';
import { root as checkout } from '../../support/checkout.ts';
import { Failure } from '../../support/errors.ts';
import { allowedLibraries } from '../../targets/target-facts.ts';
import type { Target } from '../../targets/targets.ts';
import { allLocales, allLocalesName } from '../icu.ts';
import { nodeTree, work } from '../paths.ts';
import { checkBinding, checkFirstProcess } from './binding.ts';
import { type Expect, expectAll } from './expect.ts';
import { sharedPages } from './pages.ts';
import { checkRefusals } from './refusals.ts';
import { makeRoot, type Root } from './root.ts';

const maxBytes = 57_000_000;
const maxCompressedBytes = 14_000_000;

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
  await checkLocales(root, expect);
  await checkQuic(root, expect);
  await checkBinding(root, expect);
  if (runsNatively(target)) {
    await checkFirstProcess(root, expect);
    await checkRefusals(root, expect);
  }
  await checkHardening(root, expect);
  await checkSea(target, root, executable, expect);
  if (failed.length > 0)
    throw new Failure(`${target.triple} must keep every rule, breaks ${failed.length}:\n${failed.join('\n')}`);
  return passed;
}

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
  expectAll(await root.run('node', [root.pathOf('behaviour.cjs')]), 'runs alone in its root', expect);
}

/** As a program does that takes the data of all locales along. */
async function checkLocales(root: Root, expect: Expect): Promise<void> {
  await mkdir(join(root.folder, 'icu'));
  await copyFile(await allLocales(), join(root.folder, 'icu', allLocalesName));
  const code =
    "(1234.5).toLocaleString('de') + new Date(0).toLocaleDateString('ja', { timeZone: 'UTC', dateStyle: 'long' })";
  const answer = await root.run('node', [`--icu-data-dir=${root.pathOf('icu')}`, '-p', code]);
  expect('speaks all languages with the data file', answer.stdout === '1.234,51970年1月1日\n', answer.text());
}

async function checkQuic(root: Root, expect: Expect): Promise<void> {
  await copyFile(join(import.meta.dirname, 'quic.mjs'), join(root.folder, 'quic.mjs'));
  for (const name of ['key', 'cert']) {
    await copyFile(join(nodeTree, `test/fixtures/keys/agent1-${name}.pem`), join(root.folder, `${name}.pem`));
  }
  const flags = ['--experimental-quic', '--experimental-stream-iter', '--no-warnings'];
  const answer = await root.run('node', [...flags, root.pathOf('quic.mjs')]);
  expect('answers a request over HTTP/3', answer.stdout === 'h3 200 /a over HTTP/3\n', answer.text());
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
async function checkSea(target: Target, root: Root, executable: string, expect: Expect): Promise<void> {
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
  if (!target.architecture.node.cpu.startsWith('arm')) return;
  const shared = sharedPages(await readFile(join(root.folder, 'app')));
  expect('with a SEA blob inside too, no two rights share a page of 64 KiB', shared.length === 0, shared);
}

/**
 * Runs Node's own tests of what a server uses against a runtime of runtimes/: `npm run runtime:tests TRIPLE [FILTER]`.
 * Every failure must have a reason in node-tests.json; one without, and a reason whose test passes everywhere, is an error.
 * A foreign runtime runs under QEMU; tests that start processes are then left out unless binfmt_misc knows its format.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { $ } from 'zx';
import { need } from '../need.ts';
import { makeRoot } from './checks/root.ts';
import { unpackRuntime } from './finish.ts';
import { installNeeds } from './needs.ts';
import { makeNodeTree } from './node-tree.ts';
import { NODE_TREE, RECIPE, WORK } from './paths.ts';
import { findPlatform, type Platform } from './platforms.ts';

const AREAS = /^test-(net|stream|worker|http|tls|zlib|buffer|timers|process|cluster|child-process)[-.0-9]?.*\.m?js$/;
const STARTS_PROCESSES = /child_process|cluster|spawnPromisified|execPath/;

interface Outcome {
  readonly name: string;
  readonly state: 'passed' | 'skipped' | 'failed';
  readonly detail: string;
}

const [triple = '', filter = ''] = process.argv.slice(2);
const platform = findPlatform(triple);
if (platform === undefined) {
  console.error(`the first argument wants a triple of platforms.ts, got "${triple}"`);
  process.exit(2);
}
await installNeeds();
await makeNodeTree();
process.exitCode = await runAll(platform, await runnerOf(platform), filter);

/** How the runtime is started, and what all its processes find in their environment. */
interface Runner {
  readonly command: string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A foreign runtime finds its C library where QEMU is told to look. */
async function runnerOf(platform: Platform): Promise<Runner> {
  const executable = await unpackRuntime(platform);
  if (platform.emulator === null) {
    const { interpreter } = platform.elf;
    const packages = [platform.cpu === 'ia32' ? 'libc6-i386' : 'libc6'];
    if (interpreter !== null) await need({ look: interpreter, packages, to: `run ${platform.triple}` });
    return { command: [executable], env: {} };
  }
  const { folder } = await makeRoot(platform, executable);
  return { command: [platform.emulator, executable], env: { QEMU_LD_PREFIX: folder } };
}

async function runAll(platform: Platform, runner: Runner, filter: string): Promise<number> {
  const reasons: Record<string, string> = JSON.parse(readFileSync(join(RECIPE, 'node-tests.json'), 'utf8'));
  const canFork =
    platform.emulator === null || existsSync(`/proc/sys/fs/binfmt_misc/${platform.emulator.replace('-static', '')}`);
  const folder = join(NODE_TREE, 'test/parallel');
  const names = readdirSync(folder)
    .filter((name) => AREAS.test(name) && name.includes(filter))
    .filter((name) => canFork || !STARTS_PROCESSES.test(readFileSync(join(folder, name), 'utf8')))
    .sort();
  // Else Node would find this project's package.json above the tests and take them for ES modules.
  await writeFile(join(WORK, 'package.json'), '{}');
  const outcomes: Outcome[] = [];
  const queue = [...names];
  const workers = Array.from({ length: availableParallelism() }, async (_, thread) => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      outcomes.push(await runOne(platform, runner, join(folder, name), name, thread));
      if (outcomes.length % 100 === 0) console.log(`${outcomes.length} of ${names.length}`);
    }
  });
  await Promise.all(workers);
  const failed = outcomes.filter((outcome) => outcome.state === 'failed');
  for (const { name, detail } of failed)
    console.log(`failed: ${name}: ${reasons[name] ?? `NO REASON KNOWN\n${detail}`}`);
  const count = (state: Outcome['state']): number => outcomes.filter((outcome) => outcome.state === state).length;
  const unexplained = failed.filter(({ name }) => reasons[name] === undefined);
  console.log(
    `${platform.triple}: ${count('passed')} passed, ${count('skipped')} skipped themselves, ${failed.length} failed, ${unexplained.length} of these unexplained`,
  );
  return unexplained.length === 0 ? 0 : 1;
}

async function runOne(
  platform: Platform,
  runner: Runner,
  file: string,
  name: string,
  thread: number,
): Promise<Outcome> {
  const source = readFileSync(file, 'utf8');
  const flags = /\/\/\s+Flags:(.*)/.exec(source)?.[1]?.trim().split(/\s+/).filter(Boolean) ?? [];
  const temporary = join(WORK, 'node-tests', platform.triple, String(thread));
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  const env = {
    ...runner.env,
    PATH: process.env['PATH'],
    HOME: temporary,
    NODE_TEST_DIR: temporary,
    TEST_THREAD_ID: String(thread),
    TEST_PARALLEL: '1',
  };
  const timeout = platform.emulator === null ? '120s' : '600s';
  const options = {
    cwd: NODE_TREE,
    env,
    nothrow: true,
    quiet: true,
    timeout,
    stdio: ['ignore', 'pipe', 'pipe'],
  } as const;
  const result = await $(options as object)`${[...runner.command, ...flags, file]}`;
  if (result.exitCode === 0) {
    return { name, state: /^1\.\.0 # Skipped/m.test(result.stdout) ? 'skipped' : 'passed', detail: '' };
  }
  const text = `exit code ${result.exitCode}, signal ${result.signal}\n${result.stdout}${result.stderr}`;
  return { name, state: 'failed', detail: text.split('\n').slice(0, 25).join('\n') };
}

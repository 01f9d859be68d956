/**
 * Runs Node's own tests of what a server uses against a runtime in runtimes/: `npm run runtime:tests -- --help`.
 * Every failure must have a reason in node-tests.json; one without is an error.
 * A foreign runtime runs under QEMU; tests that start processes are then left out unless binfmt_misc knows its format.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { $ } from 'zx';
import { emulatorFor, runsNatively } from '../sandbox/emulation.ts';
import { command } from '../support/command.ts';
import { Failure, UsageError } from '../support/errors.ts';
import { lockBuild } from '../support/lock.ts';
import { say } from '../support/progress.ts';
import { cores } from '../support/slots.ts';
import { need } from '../support/system-tools.ts';
import { targetOption } from '../targets/select.ts';
import { findTargets, readTargets, type Target } from '../targets/targets.ts';
import { needBuildPackages } from './build-packages.ts';
import { makeRoot } from './checks/root.ts';
import { makeNodeTree } from './node-tree.ts';
import { nodeTree, recipe, work } from './paths.ts';
import { unpackRuntime } from './publish-runtime.ts';

const areas = new RegExp(
  '^test-(buffer|child-process|cluster|crypto|fs|https?|http2|icu|intl|net|process|quic|sqlite|stream|timers|tls|' +
    'webcrypto|whatwg|worker|zlib)[-.].*\\.m?js$',
);
/** Under QEMU: what differs between CPUs, word sizes and C libraries. Everything would take three hours there. */
const emulatedAreas = /^test-(buffer|icu|intl|net|process|quic|sqlite|timers|webcrypto|zlib)[-.].*\.m?js$/;
const startsProcesses = /child_process|cluster|spawnPromisified|execPath/;

interface Outcome {
  readonly name: string;
  readonly state: 'passed' | 'skipped' | 'failed';
  readonly detail: string;
}

const spec = {
  about: "Runs Node's own tests against a runtime in runtimes/.",
  options: [
    { ...targetOption, help: 'the runtime' },
    { name: 'filter', value: 'text', help: 'only tests with this in their name' },
  ],
};

await command(spec, async (given) => {
  const [target, ...more] = findTargets(readTargets(), given.valuesOf('target'));
  if (target === undefined || more.length > 0) {
    throw new UsageError(`--target must be given once, got ${given.valuesOf('target').length}`);
  }
  await lockBuild();
  await needBuildPackages();
  await makeNodeTree();
  await runAll(target, await runnerOf(target), given.valuesOf('filter').at(-1) ?? '');
});

/** How the runtime is started, and the environment of all its processes. */
interface Runner {
  readonly command: string[];
  readonly env: Readonly<Record<string, string>>;
}

/** QEMU finds the C library in the runtime's root folder; a native runtime uses the machine's own. */
async function runnerOf(target: Target): Promise<Runner> {
  const executable = await unpackRuntime(target);
  const emulator = await emulatorFor(target);
  if (emulator !== undefined) {
    const { folder } = await makeRoot(target, executable);
    return { command: [emulator, executable], env: { QEMU_LD_PREFIX: folder } };
  }
  const { interpreter, architecture, triple } = target;
  const packages = [architecture.elf.class === 32 ? 'libc6-i386' : 'libc6'];
  if (interpreter !== null) await need({ look: interpreter, packages, to: `run ${triple}` });
  return { command: [executable], env: {} };
}

async function runAll(target: Target, runner: Runner, filter: string): Promise<void> {
  const reasons: Record<string, string> = JSON.parse(readFileSync(join(recipe, 'node-tests.json'), 'utf8'));
  const canFork =
    runsNatively(target) ||
    existsSync(`/proc/sys/fs/binfmt_misc/${target.architecture.emulator.replace('-static', '')}`);
  const wanted = runsNatively(target) || filter !== '' ? areas : emulatedAreas;
  const folder = join(nodeTree, 'test/parallel');
  const names = readdirSync(folder)
    .filter((name) => wanted.test(name) && name.includes(filter))
    .filter((name) => canFork || !startsProcesses.test(readFileSync(join(folder, name), 'utf8')))
    .sort();
  // Otherwise Node would find this project's package.json above the tests and treat them as ES modules.
  await writeFile(join(work, 'package.json'), '{}');
  const outcomes: Outcome[] = [];
  const queue = [...names];
  const workers = Array.from({ length: cores }, async (_, thread) => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      outcomes.push(await runOne(target, runner, join(folder, name), name, thread));
      if (outcomes.length % 100 === 0) say(`${outcomes.length} of ${names.length}`);
    }
  });
  await Promise.all(workers);
  const failed = outcomes.filter((outcome) => outcome.state === 'failed');
  for (const { name, detail } of failed) say(`failed: ${name}: ${reasons[name] ?? `NO REASON KNOWN\n${detail}`}`);
  const count = (state: Outcome['state']): number => outcomes.filter((outcome) => outcome.state === state).length;
  const unexplained = failed.filter(({ name }) => reasons[name] === undefined);
  say(
    `${target.triple}: ${count('passed')} passed, ${count('skipped')} skipped themselves, ${failed.length} failed, ${unexplained.length} of these unexplained`,
  );
  if (unexplained.length > 0)
    throw new Failure(`every failed test must have a reason in node-tests.json, ${unexplained.length} have none`);
}

async function runOne(target: Target, runner: Runner, file: string, name: string, thread: number): Promise<Outcome> {
  const source = readFileSync(file, 'utf8');
  const flags = /\/\/\s+Flags:(.*)/.exec(source)?.[1]?.trim().split(/\s+/).filter(Boolean) ?? [];
  const temporary = join(work, 'node-tests', target.triple, String(thread));
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
  const timeout = runsNatively(target) ? '120s' : '600s';
  const options = {
    cwd: nodeTree,
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

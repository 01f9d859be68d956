/**
 * `npm run programs`: makes each program's folder, installs its packages, and lets the packed toolchain do the rest, as its users
 * would. `--commit` writes the results, from which the README's table comes.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { runsNatively } from '../../scripts/sandbox/emulation.ts';
import { root } from '../../scripts/support/checkout.ts';
import { command } from '../../scripts/support/command.ts';
import { Failure, UsageError } from '../../scripts/support/errors.ts';
import { say } from '../../scripts/support/progress.ts';
import { findTargets, isReady, readTargets, type Target } from '../../scripts/targets/targets.ts';
import { installToolchain, prepare, toolchain } from './folders.ts';
import type { TriedProgram } from './program.ts';
import { programs } from './programs.ts';
import type { Result } from './result.ts';

interface Row {
  readonly target: string;
  readonly artifacts: readonly { bytes: number; executableBytes: number }[];
  readonly startMs?: number;
  readonly how?: string;
  readonly fault?: string;
}

const resultsFile = path.join(root, 'test/programs/results.json');

await command(
  {
    about: 'Packages, verifies, starts and asks programs that others wrote, with the packed toolchain.',
    positionals: 'programs',
    options: [
      { name: 'target', short: 't', value: 'triple', help: 'only this target; may be repeated (default: all)' },
      { name: 'install', help: 'only make their folders and install their packages' },
      { name: 'commit', help: 'write the results for the README' },
    ],
  },
  async (given) => {
    const targets =
      given.valuesOf('target').length > 0
        ? given.valuesOf('target')
        : readTargets()
            .targets.filter(isReady)
            .map(({ triple }) => triple);
    findTargets(readTargets(), targets);
    const chosen = given.positionals.length === 0 ? programs : given.positionals.map(named);
    if (given.has('install')) {
      for (const program of chosen) say(`${program.name}: ${path.relative(root, prepare(program))}`);
      return;
    }
    installToolchain();
    const faults: string[] = [];
    for (const program of chosen) {
      const those = targets.filter((triple) => isTriedOn(program, triple));
      if (those.length === 0) continue;
      const results: Result[] = [];
      for (const result of await attemptWith(program, those)) {
        if (typeof result === 'string') faults.push(`${program.name}: ${result}`);
        else results.push(result);
        say(typeof result === 'string' ? `${program.name}: ${result}` : lineOf(result));
      }
      if (given.has('commit')) write(results);
    }
    if (faults.length > 0) throw new Failure(faults.join('\n'));
  },
);

function isTriedOn({ only, startsItself }: TriedProgram, triple: string): boolean {
  if (only !== undefined && !only.includes(triple)) return false;
  return startsItself !== true || findTargets(readTargets(), [triple]).every(runsNatively);
}

function named(name: string): TriedProgram {
  const found = programs.find((program) => program.name === name);
  if (found !== undefined) return found;
  throw new UsageError(`the program must be one of ${programs.map((each) => each.name).join(', ')}; got ${name}`);
}

async function attemptWith(program: TriedProgram, triples: readonly string[]): Promise<(Result | string)[]> {
  if (program.service === undefined) return attempt(program, triples);
  const { environment, stop } = await program.service();
  const { smoke, ...rest } = program.description as { smoke: { env: object } };
  const description = { ...rest, smoke: { ...smoke, env: { ...smoke.env, ...environment } } };
  try {
    return attempt({ ...program, description }, triples);
  } finally {
    await stop();
  }
}

/** A string is a fault. */
function attempt(program: TriedProgram, triples: readonly string[]): (Result | string)[] {
  try {
    const folder = prepare(program);
    const targets = findTargets(readTargets(), triples);
    const able = targets.filter((target) => program.fits?.(target) ?? true);
    const unable = targets.filter((target) => !able.includes(target));
    return [...tryToRun(program, folder, able), ...mustRefuse(program, folder, unable)];
  } catch (error) {
    if (error instanceof Failure) return [error.message];
    throw error;
  }
}

function toolchainIn(
  folder: string,
  command: string,
  targets: readonly Target[],
): { stdout: string; stderr: string; status: number | null } {
  const env = { ...process.env, VRYPT_RUNTIMES: path.join(root, 'runtimes') };
  const args = [command, '--json', ...targets.flatMap(({ triple }) => ['--target', triple])];
  return spawnSync(path.join(toolchain, 'node_modules/.bin/vrypt-release'), args, {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
}

function tryToRun({ name }: TriedProgram, folder: string, targets: readonly Target[]): (Result | string)[] {
  if (targets.length === 0) return [];
  const { stdout, stderr } = toolchainIn(folder, 'smoke', targets);
  if (stdout === '') return [stderr.slice(-1500)];
  const rows = JSON.parse(stdout) as readonly Row[];
  return rows.map(({ target, artifacts: [archive], startMs, how, fault }) => {
    if (fault !== undefined || archive === undefined) return `${target}: ${fault}`;
    return {
      program: name,
      target,
      startMs: Math.round(startMs ?? 0),
      how: how ?? '',
      executableBytes: archive.executableBytes,
      archiveBytes: archive.bytes,
    };
  });
}

/** Before anything is built, and for the reason that is true. */
function mustRefuse({ name, refusal }: TriedProgram, folder: string, unable: readonly Target[]): (Result | string)[] {
  if (unable.length === 0) return [];
  const { stdout, stderr } = toolchainIn(folder, 'plan', unable);
  if (stdout === '') return [stderr.slice(-1500)];
  const { targets } = JSON.parse(stdout) as { targets: readonly { target: string; obstacles: readonly string[] }[] };
  return targets.map(({ target, obstacles }) => {
    const refused = obstacles.find((obstacle) => refusal?.test(obstacle));
    if (refused === undefined)
      return `${target}: must be refused for ${refusal}, got ${obstacles.join('; ') || 'no refusal'}`;
    return { program: name, target, refused };
  });
}

/** Those of other programs and targets stay. */
function write(results: readonly Result[]): void {
  const old = existsSync(resultsFile) ? (JSON.parse(readFileSync(resultsFile, 'utf8')) as readonly Result[]) : [];
  const isNew = ({ program, target }: Result): boolean =>
    results.some((result) => result.program === program && result.target === target);
  const order = programs.map(({ name }) => name);
  const all = [...old.filter((result) => !isNew(result)), ...results].sort(
    (a, b) => order.indexOf(a.program) - order.indexOf(b.program) || (a.target < b.target ? -1 : 1),
  );
  writeFileSync(resultsFile, `${JSON.stringify(all, null, 2)}\n`);
  say(`wrote ${path.relative(root, resultsFile)}, on ${availableParallelism()} cores`);
}

function lineOf({ program, target, startMs, how, refused }: Result): string {
  return `${program.padEnd(16)} ${target.padEnd(31)} ${refused ?? `good, ${startMs} ms, ${how}`}`;
}

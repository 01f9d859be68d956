/**
 * `npm run proofs`: what takes longer than `npm test`, or needs root or other systems: real installs, images as containers run
 * them, a release that is killed at any moment, a second build elsewhere; and every other long run of this project. Ends with a
 * table and `N passed, N failed`; exit code 1 if anything failed.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { root } from '../../scripts/support/checkout.ts';
import { command } from '../../scripts/support/command.ts';
import { Failure, UsageError } from '../../scripts/support/errors.ts';
import { isOnPath } from '../installed.ts';
import { image } from './image.ts';
import { install } from './install.ts';
import { oldKernels } from './kernels.ts';
import { npm } from './npm.ts';
import { packages } from './packages.ts';
import type { Proof } from './proof.ts';
import { release as endings } from './release.ts';

const own: Readonly<Record<string, Proof>> = { install, packages, npm, image, kernels: oldKernels, release: endings };

/** Runs with tables of their own: the exit code is their verdict. */
const runs: Readonly<Record<string, readonly string[]>> = {
  repeatable: ['npm', 'run', '--silent', 'release', '--', '--allow-dirty', '--check-repeatable'],
  faults: ['npm', 'run', '--silent', 'faults'],
  nodes: ['npm', 'run', '--silent', 'test:nodes'],
  programs: ['npm', 'run', '--silent', 'programs'],
};

interface Row {
  readonly name: string;
  passed: number;
  failed: number;
  seconds: number;
}

const names = [...Object.keys(own), ...Object.keys(runs)];

await command(
  {
    about: `Proves what takes longer than npm test. Proofs: ${names.join(', ')} (default: all).`,
    positionals: 'proofs',
    options: [
      { name: 'target', short: 't', value: 'triple', help: 'release and try only this target; may be repeated' },
      { name: 'no-release', help: 'take dist/ as it is, instead of releasing first' },
    ],
  },
  async (given) => {
    const chosen = given.positionals.length > 0 ? given.positionals : names;
    for (const name of chosen) {
      if (!names.includes(name)) throw new UsageError(`the proof must be one of ${names.join(', ')}; got ${name}`);
    }
    const targets = given.valuesOf('target').flatMap((triple) => ['--target', triple]);
    if (!given.has('no-release')) release(targets);
    const rows: Row[] = [];
    for (const name of chosen) rows.push(await prove(name));
    print(rows);
    if (rows.some(({ failed }) => failed > 0)) process.exitCode = 1;
  },
);

/** Changed files may be tried too: what is made says so. */
function release(targets: readonly string[]): void {
  const args = ['scripts/release.ts', '--allow-dirty', ...targets];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Failure(`npm run release must succeed before anything can be proven, got ${status}`);
}

async function prove(name: string): Promise<Row> {
  const start = performance.now();
  const row: Row = { name, passed: 0, failed: 0, seconds: 0 };
  const proof = own[name];
  if (proof === undefined) runElsewhere(name, row);
  else {
    tell(`\n${name}: ${proof.title}`);
    const missing = missingFor(proof);
    if (missing === undefined)
      await proof
        .run((sentence, work) => checked(row, sentence, work))
        .catch((error) => fail(row, 'it runs to its end', error));
    else fail(row, 'it can run', missing);
  }
  row.seconds = (performance.now() - start) / 1000;
  return row;
}

async function checked(row: Row, sentence: string, work: () => Promise<unknown>): Promise<void> {
  try {
    const figure = await work();
    row.passed++;
    tell(`pass  ${sentence}${typeof figure === 'string' ? `: ${figure}` : ''}`);
  } catch (error) {
    fail(row, sentence, error);
  }
}

function fail(row: Row, sentence: string, error: unknown): void {
  row.failed++;
  tell(`FAIL  ${sentence}: ${error instanceof Error ? error.message : error}`);
}

function missingFor({ needs, asRoot }: Proof): string | undefined {
  if (asRoot && process.getuid?.() !== 0) return 'it must run as root, it does not';
  const packages = Object.entries(needs).flatMap(([file, debian]) => (isOnPath(file) ? [] : [debian]));
  return packages.length > 0 ? `missing: apt-get install ${[...new Set(packages)].join(' ')}` : undefined;
}

function runElsewhere(name: string, row: Row): void {
  const [file = '', ...args] = runs[name] ?? [];
  tell(`\n${name}: ${[file, ...args].join(' ')}`);
  const { status } = spawnSync(file, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) row.passed++;
  else fail(row, `${name} ends with 0`, `got ${status}`);
}

function print(rows: readonly Row[]): void {
  const width = Math.max(...rows.map(({ name }) => name.length), 'proof'.length);
  tell(`\n${'proof'.padEnd(width)}  passed  failed  seconds`);
  for (const { name, passed, failed, seconds } of rows) {
    const cells = [passed, failed, seconds.toFixed(0)].map((cell, column) =>
      String(cell).padStart([6, 6, 7][column] ?? 0),
    );
    tell([name.padEnd(width), ...cells].join('  '));
  }
  const sum = (key: 'passed' | 'failed'): number => rows.reduce((total, row) => total + row[key], 0);
  const all = `${sum('passed')} passed, ${sum('failed')} failed`;
  tell(`\n${all}`);
  const { GITHUB_STEP_SUMMARY } = process.env;
  if (GITHUB_STEP_SUMMARY === undefined) return;
  const head = [['proof', 'passed', 'failed', 'seconds'], Array<string>(4).fill('---')];
  const cells = rows.map((row) => [row.name, row.passed, row.failed, row.seconds.toFixed(0)]);
  const lines = [...head, ...cells].map((line) => `| ${line.join(' | ')} |`);
  appendFileSync(GITHUB_STEP_SUMMARY, `${lines.join('\n')}\n\n${all}\n`);
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** `release`: every step for the targets, then the archives under their final names. Owns nothing of its own. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { program } from '../program/program.ts';
import { emulatorFor, wayToRun } from '../sandbox/emulation.ts';
import { oldestLibc } from '../sandbox/oldest-libc.ts';
import { assertSameTree, assertUnchanged, readOrigin } from '../sources/origin.ts';
import { fetchSource } from '../sources/sources.ts';
import { writeDist } from '../steps/dist.ts';
import { wholeFiles } from '../steps/image.ts';
import { type Manifest, report, table } from '../steps/manifest.ts';
import { type Outcome, smokeAll } from '../steps/smoke.ts';
import { isOwnProject } from '../support/checkout.ts';
import { explain, Failure, UsageError } from '../support/errors.ts';
import { assertBuildHost } from '../support/host.ts';
import { say } from '../support/progress.ts';
import { runWell } from '../support/run.ts';
import { need, needAll, tools } from '../support/system-tools.ts';
import { artifactPath, artifactsOf } from '../targets/artifacts.ts';
import { checksumsPath, dist, isStatic, toolsFor } from '../targets/target-facts.ts';
import { type ReadyTarget, readTargets, type Target } from '../targets/targets.ts';
import { checkRepeatable } from './repeat.ts';

export interface ReleaseOptions {
  /** Also what is not as committed; it then says so. Somebody else's project needs no commit at all. */
  readonly allowDirty: boolean;
  /** Makes everything twice. */
  readonly checkRepeatable?: boolean;
  /** Default: what the description says. */
  readonly out?: string;
  /** Of the project on GitHub: for install.sh and the notes. */
  readonly repository?: string | undefined;
  /** The file name of the last release's manifest. */
  readonly previous?: string | undefined;
  /** A secret key of minisign; default: the checksums are not signed. */
  readonly signingKey?: string | undefined;
  /** Shown in the table as such. */
  readonly missing: readonly Target[];
  /** Prints the table for people. */
  readonly print: (text: string) => void;
}

/** Throws when a target failed; the others are released. */
export async function release(targets: readonly ReadyTarget[], options: ReleaseOptions): Promise<readonly Outcome[]> {
  const start = performance.now();
  assertBuildHost();
  const origin = await readOrigin();
  if (isOwnProject && !options.allowDirty) assertUnchanged(origin);
  await needTools(targets);
  const smoked = await smokeAll(targets);
  if (isOwnProject) assertSameTree(origin);
  const folder = options.out ?? dist;
  const facts = { repository: options.repository ?? '', previous: readPrevious(options.previous) };
  const whole = await wholeFiles(smoked);
  const tried = options.checkRepeatable ? await checkRepeatable(smoked, whole) : smoked;
  const outcomes = await writeDist(tried, { head: origin, facts, whole }, { dist: folder, made: artifactPath });
  await sign(folder, options.signingKey, origin.commit);
  const seconds = (performance.now() - start) / 1000;
  writeFileSync(path.join(folder, 'report.json'), report(outcomes, seconds));
  options.print(`\n${table(outcomes, options.missing)}\n`);
  say(`\n${seconds.toFixed(0)} s`);
  const faults = outcomes.flatMap(({ target, fault }) => (fault === undefined ? [] : [`${target.triple}: ${fault}`]));
  if (faults.length > 0) throw new Failure(`\nnot released:\n${faults.join('\n')}`);
  return outcomes;
}

/** The names of all files, before anything is made. */
export async function releasePlan(targets: readonly ReadyTarget[]): Promise<string> {
  const { commit, changes } = await readOrigin();
  const head = `${program.name} ${program.version}, commit ${commit}, Node.js ${readTargets().node}`;
  const isDirty = changes.length > 0 ? [`not as committed: ${changes.join(', ')}`] : [];
  const files = targets.flatMap((target) => ['', target.triple, ...artifactsOf(target).map(({ file }) => `  ${file}`)]);
  return `${[head, ...isDirty, ...files].join('\n')}\n`;
}

async function sign(folder: string, key: string | undefined, commit: string): Promise<void> {
  const sums = path.join(folder, path.basename(checksumsPath));
  const signature = `${sums}.minisig`;
  rmSync(signature, { force: true });
  if (key === undefined) return say('the checksums are not signed');
  const comment = `${program.name} ${program.version} ${commit}`;
  await runWell([await need(tools.minisign), '-S', '-s', key, '-m', sums, '-x', signature, '-t', comment]);
}

function readPrevious(file: string | undefined): Manifest | undefined {
  if (file === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  } catch (error) {
    throw new UsageError(`--previous must be a manifest.json, got ${file}: ${explain(error)}`);
  }
}

export async function prepare(targets: readonly ReadyTarget[]): Promise<void> {
  await needTools(targets);
  for (const target of targets) {
    await emulatorFor(target);
    if (!isStatic(target)) await fetchSource(oldestLibc(target));
  }
  say('everything that a release needs is here');
}

async function needTools(targets: readonly ReadyTarget[]): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  await needAll(targets.flatMap((target) => toolsFor(target, { isRoot, needsQemu: wayToRun(target) === 'installed' })));
}

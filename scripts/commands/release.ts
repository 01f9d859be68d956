/** `release`: every step for the targets, then the archives under their final names. Owns nothing of its own. */
import { emulatorFor, wayToRun } from '../sandbox/emulation.ts';
import { oldestLibc } from '../sandbox/oldest-libc.ts';
import { assertSameTree, assertUnchanged, readOrigin } from '../sources/origin.ts';
import { fetchSource } from '../sources/sources.ts';
import { writeDist } from '../steps/dist.ts';
import { table } from '../steps/manifest.ts';
import { type Outcome, smokeAll } from '../steps/smoke.ts';
import { isOwnProject } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { assertBuildHost } from '../support/host.ts';
import { say } from '../support/progress.ts';
import { needAll } from '../support/system-tools.ts';
import { artifactPath } from '../targets/artifacts.ts';
import { dist, isStatic, toolsFor } from '../targets/target-facts.ts';
import type { ReadyTarget, Target } from '../targets/targets.ts';

export interface ReleaseOptions {
  /** Also what is not as committed; it then says so. Somebody else's project needs no commit at all. */
  readonly allowDirty: boolean;
  /** Default: what the description says. */
  readonly out?: string;
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
  const tried = await smokeAll(targets);
  if (isOwnProject) assertSameTree(origin);
  const outcomes = await writeDist(tried, origin.commit, { dist: options.out ?? dist, made: artifactPath });
  options.print(`\n${table(outcomes, options.missing)}\n`);
  say(`\n${((performance.now() - start) / 1000).toFixed(0)} s`);
  const faults = outcomes.flatMap(({ target, fault }) => (fault === undefined ? [] : [`${target.triple}: ${fault}`]));
  if (faults.length > 0) throw new Failure(`\nnot released:\n${faults.join('\n')}`);
  return outcomes;
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

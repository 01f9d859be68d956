/**
 * `npm run release`: every step for every target that has a runtime, or for those that are named. Ends with the table on
 * standard output, and with exit code 1 and the reasons if any target failed. Owns nothing of its own.
 */
import { emulatorFor, wayToRun } from './sandbox/emulation.ts';
import { oldestLibc } from './sandbox/oldest-libc.ts';
import { assertSameTree, assertUnchanged, readOrigin } from './sources/origin.ts';
import { fetchSource } from './sources/sources.ts';
import { writeDist } from './steps/dist.ts';
import { table } from './steps/manifest.ts';
import { smokeAll } from './steps/smoke.ts';
import type { Option } from './support/command.ts';
import { Failure } from './support/errors.ts';
import { assertBuildHost } from './support/host.ts';
import { say } from './support/progress.ts';
import { needAll } from './support/system-tools.ts';
import { withTargets } from './targets/select.ts';
import { isStatic, toolsFor } from './targets/target-facts.ts';
import { isReady, type ReadyTarget, readTargets } from './targets/targets.ts';

const options: readonly Option[] = [
  { name: 'allow-dirty', help: 'also from a changed checkout; commit and manifest then say "-changed"' },
  { name: 'prepare', help: 'only install and fetch what a release needs: afterwards it needs no network' },
];

await withTargets(
  'Makes and tries the archives, the checksums and the manifest in dist/.',
  async (targets, given) => {
    const start = performance.now();
    assertBuildHost();
    if (given.has('prepare')) return await prepare(targets);
    const origin = await readOrigin();
    if (!given.has('allow-dirty')) assertUnchanged(origin);
    await needTools(targets);
    const tried = await smokeAll(targets);
    assertSameTree(origin);
    const outcomes = await writeDist(tried, origin.commit);
    const isWhole = given.valuesOf('target').length === 0;
    const missing = isWhole ? readTargets().targets.filter((target) => !isReady(target)) : [];
    process.stdout.write(`\n${table(outcomes, missing)}\n`);
    say(`\n${((performance.now() - start) / 1000).toFixed(0)} s`);
    const faults = outcomes.flatMap(({ target, fault }) => (fault === undefined ? [] : [`${target.triple}: ${fault}`]));
    if (faults.length > 0) throw new Failure(`\nnot released:\n${faults.join('\n')}`);
  },
  options,
);

async function prepare(targets: readonly ReadyTarget[]): Promise<void> {
  await needTools(targets);
  for (const target of targets) {
    await emulatorFor(target);
    if (!isStatic(target)) await fetchSource(oldestLibc(target));
  }
  say('everything that a release needs is here');
}

async function needTools(targets: readonly ReadyTarget[]): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  const tools = targets.flatMap((target) => toolsFor(target, { isRoot, needsQemu: wayToRun(target) === 'installed' }));
  await needAll(tools);
}

/**
 * `npm run release`: every step for every target that has a runtime, or for those that are named. Ends with the table on
 * standard output, and with exit code 1 and the reasons if any target failed. Owns nothing of its own.
 */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { wayToRun } from './sandbox/emulation.ts';
import { generatorTools } from './steps/blob-generator.ts';
import { writeChecksums } from './steps/checksums.ts';
import { table, writeManifest } from './steps/manifest.ts';
import { smokeAll } from './steps/smoke.ts';
import { dist } from './support/checkout.ts';
import { Failure } from './support/errors.ts';
import { assertBuildHost } from './support/host.ts';
import { say } from './support/progress.ts';
import { needAll } from './support/system-tools.ts';
import { type Artifact, artifactsOf } from './targets/artifacts.ts';
import { withTargets } from './targets/select.ts';
import { toolsFor } from './targets/target-facts.ts';
import { isReady, readTargets } from './targets/targets.ts';

await withTargets('Makes and tries the archives, the checksums and the manifest in dist/.', async (targets, names) => {
  const start = performance.now();
  assertBuildHost();
  const isRoot = process.getuid?.() === 0;
  const tools = targets.flatMap((target) => toolsFor(target, { isRoot, needsQemu: wayToRun(target) === 'installed' }));
  await needAll([...tools, ...generatorTools(targets)]);
  const planned = targets.flatMap(artifactsOf);
  const outcomes = await smokeAll(targets);
  const good = outcomes.flatMap(({ artifacts, fault }) => (fault === undefined ? artifacts : []));
  await writeChecksums(planned, good);
  await writeManifest(outcomes);
  if (names.length === 0) await removeOthers(planned);
  const missing = names.length === 0 ? readTargets().targets.filter((target) => !isReady(target)) : [];
  process.stdout.write(`\n${table(outcomes, missing)}\n`);
  say(`\n${((performance.now() - start) / 1000).toFixed(0)} s`);
  const faults = outcomes.flatMap(({ target, fault }) => (fault === undefined ? [] : [`${target.triple}: ${fault}`]));
  if (faults.length > 0) throw new Failure(`\nnot released:\n${faults.join('\n')}`);
});

/** After a whole release `dist/` contains its archives and none of an earlier version. */
async function removeOthers(planned: readonly Artifact[]): Promise<void> {
  const ours = planned.map(({ file }) => file);
  const others = (await readdir(dist)).filter((file) => file.endsWith('.tar.gz') && !ours.includes(file));
  await Promise.all(others.map((file) => rm(path.join(dist, file))));
}

/**
 * `npm run release`: all steps for all targets that have a runtime, or for those named. Ends with the table on standard
 * output, and with exit code 1 and the reasons when any target failed. Owns nothing of its own.
 */

import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeChecksums } from './checksums.ts';
import { command } from './command.ts';
import { archiveName, toolsFor } from './derived.ts';
import { table, writeManifest } from './manifest.ts';
import { needAll } from './need.ts';
import { Failure } from './problem.ts';
import { dist } from './project.ts';
import { say } from './say.ts';
import { smokeAll } from './smoke.ts';
import { isReady, readTargets, type Target } from './targets.ts';

await command('Makes and tries the archives, the checksums and the manifest in dist/.', async (targets, names) => {
  const start = performance.now();
  await needAll(targets.flatMap((target) => toolsFor(target, process.getuid?.() === 0)));
  const outcomes = await smokeAll(targets);
  const good = outcomes.flatMap(({ archive, fault }) =>
    archive === undefined || fault !== undefined ? [] : [archive],
  );
  await writeChecksums(good);
  await writeManifest(outcomes);
  if (names.length === 0) await removeOthers(targets);
  const missing = names.length === 0 ? readTargets().targets.filter((target) => !isReady(target)) : [];
  process.stdout.write(`\n${table(outcomes, missing)}\n`);
  say(`\n${((performance.now() - start) / 1000).toFixed(0)} s`);
  const faults = outcomes.flatMap(({ target, fault }) => (fault === undefined ? [] : [`${target.triple}: ${fault}`]));
  if (faults.length > 0) throw new Failure(`\nnot released:\n${faults.join('\n')}`);
});

/** After a whole release `dist/` holds its archives and none of an earlier version. */
async function removeOthers(targets: readonly Target[]): Promise<void> {
  const ours = targets.map(archiveName);
  const others = (await readdir(dist)).filter((file) => file.endsWith('.tar.gz') && !ours.includes(file));
  await Promise.all(others.map((file) => rm(path.join(dist, file))));
}

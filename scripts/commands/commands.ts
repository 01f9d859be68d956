/** The commands of `vrypt-release`: which targets each works on, and what it prints. */
import path from 'node:path';
import { obstaclesOf } from '../contents/suitability.ts';
import { program } from '../program/program.ts';
import { packaged } from '../steps/package.ts';
import { type Outcome, smokeAll } from '../steps/smoke.ts';
import { verify } from '../steps/verify.ts';
import type { Given } from '../support/command.ts';
import { explain, Failure, UsageError } from '../support/errors.ts';
import { assertBuildHost } from '../support/host.ts';
import { lockBuild } from '../support/lock.ts';
import { say } from '../support/progress.ts';
import { artifactPath } from '../targets/artifacts.ts';
import { type ReadyTarget, readTargets, selectTargets } from '../targets/targets.ts';
import { init } from './init.ts';
import { plan, planText } from './plan.ts';
import { release } from './release.ts';
import { warningsOf } from './report.ts';
import { fillRuntimes } from './runtimes.ts';

type Name = 'init' | 'plan' | 'build' | 'verify' | 'smoke' | 'release' | 'runtimes';

export async function runCommand(name: Name, given: Given): Promise<void> {
  if (name === 'init') return init();
  const named = given.valuesOf('target');
  const wanted = selectTargets(readTargets(), named.length > 0 ? named : program.targets);
  const print = (value: unknown, text: string): void => {
    process.stdout.write(given.has('json') ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);
  };
  if (name === 'plan') {
    const planned = await plan(wanted);
    if (planned.targets.every(({ obstacles }) => obstacles.length > 0)) process.exitCode = 1;
    return print(planned, planText(planned));
  }
  assertBuildHost();
  await lockBuild();
  const [from = process.env['VRYPT_RUNTIMES']] = given.valuesOf('from');
  if (name === 'runtimes') {
    if (from === undefined)
      throw new UsageError('runtimes must have --from, a folder, an address or an npm package; got none');
    return await fillRuntimes(wanted, from);
  }
  for (const line of await warningsOf()) say(`note: ${line}`);
  const targets = await suitable(wanted, named.length > 0 || program.targets.length > 0);
  if (from !== undefined) await fillRuntimes(targets, from);
  if (name === 'release') {
    const [out] = given.valuesOf('out');
    const text = (table: string): void => void (given.has('json') || process.stdout.write(table));
    const options = {
      allowDirty: true,
      missing: [],
      print: text,
      ...(out === undefined ? {} : { out: path.resolve(out) }),
    };
    const outcomes = await release(targets, options);
    if (given.has('json')) print(outcomes.map(rowOf), '');
    return;
  }
  if (name === 'smoke') {
    const outcomes = await smokeAll(targets);
    print(outcomes.map(rowOf), outcomes.map(lineOf).join('\n'));
    if (outcomes.some(({ fault }) => fault !== undefined)) throw new Failure('not every target has passed');
    return;
  }
  const make: (target: ReadyTarget) => Promise<{ file: string; sha256: string }> = name === 'build' ? packaged : verify;
  const made = await Promise.allSettled(targets.map(make));
  const files = targets.map((target, index) => {
    const result = made[index];
    if (result?.status !== 'fulfilled') return { target: target.triple, fault: explain(result?.reason) };
    return { target: target.triple, file: result.value.file, sha256: result.value.sha256 };
  });
  print(files, files.map((each) => `${each.target}  ${each.file ?? `FAILED: ${each.fault}`}`).join('\n'));
  if (files.some(({ fault }) => fault !== undefined)) throw new Failure('not every target could be made');
}

/** What cannot work on a target is said before anything is built. A target that was asked for by name must work. */
async function suitable(wanted: readonly ReadyTarget[], areNamed: boolean): Promise<readonly ReadyTarget[]> {
  const all = await Promise.all(wanted.map(async (target) => ({ target, obstacles: await obstaclesOf(target) })));
  const lines = all.flatMap(({ target, obstacles }) =>
    obstacles.map((obstacle) => ({ triple: target.triple, obstacle })),
  );
  const byReason = Map.groupBy(lines, ({ obstacle }) => obstacle);
  const texts = [...byReason].map(([obstacle, those]) => {
    const where =
      those.length === wanted.length && wanted.length > 1
        ? 'every target'
        : those.map(({ triple }) => triple).join(', ');
    return `${where}: ${obstacle}`;
  });
  const good = all.filter(({ obstacles }) => obstacles.length === 0).map(({ target }) => target);
  if (good.length === 0 || (areNamed && lines.length > 0)) throw new Failure(texts.join('\n'));
  for (const text of texts) say(`left out, ${text}`);
  return good;
}

function rowOf({ target, artifacts, product, smoked, fault }: Outcome): object {
  const files = artifacts.map((artifact) => ({
    ...artifact,
    executableBytes: product?.bytes,
    path: artifactPath(artifact),
  }));
  return { target: target.triple, artifacts: files, ...smoked, ...(fault === undefined ? {} : { fault }) };
}

function lineOf({ target, smoked, fault }: Outcome): string {
  return `${target.triple}  ${fault === undefined ? `good: ${smoked?.how}, ${smoked?.startMs.toFixed(0)} ms` : `FAILED: ${fault}`}`;
}

/**
 * `smoke`: a person's session with the archive, and the time from starting the program to its first answer.
 * Targets that run natively go one after the other, so that the times mean something; emulated ones side by side.
 */
import { program } from '../program/vrypt-server.ts';
import { runsNatively } from '../sandbox/emulation.ts';
import { sandboxInputs } from '../sandbox/sandbox.ts';
import { checksFor, countOf } from '../smoke/checks.ts';
import { type Identity, identityFaults } from '../smoke/identity.ts';
import { Server, startTime } from '../smoke/server.ts';
import { trySession } from '../smoke/session.ts';
import { type Product, unpack } from '../smoke/unpack.ts';
import { readOrigin } from '../sources/origin.ts';
import { version } from '../support/checkout.ts';
import { explain, Failure } from '../support/errors.ts';
import { sha256File } from '../support/hash.ts';
import { runStep } from '../support/step.ts';
import { need, tools } from '../support/system-tools.ts';
import { artifactPath, type MadeArtifact } from '../targets/artifacts.ts';
import { withTargets } from '../targets/select.ts';
import { type ReadyTarget, readTargets } from '../targets/targets.ts';
import { makeArtifacts } from './artifacts.ts';

export interface Smoked {
  readonly how: string;
  readonly checks: number;
  /** Median of three; under QEMU it says nothing about the product. */
  readonly startMs: number;
}

export interface Outcome {
  readonly target: ReadyTarget;
  readonly artifacts: readonly MadeArtifact[];
  readonly smoked?: Smoked;
  /** The reason why it must not be released. */
  readonly fault?: string;
}

/** Makes and smokes all targets; one that fails does not stop the others. */
export async function smokeAll(targets: readonly ReadyTarget[]): Promise<Outcome[]> {
  const made = await Promise.all(targets.map(makeOne));
  const outcomes = new Map<ReadyTarget, Outcome>();
  const finish = async (outcome: Outcome): Promise<void> => {
    outcomes.set(outcome.target, outcome.fault === undefined ? await smokeOne(outcome) : outcome);
  };
  const isNative = ({ target }: Outcome): boolean => runsNatively(target);
  for (const outcome of made.filter(isNative)) await finish(outcome);
  await Promise.all(made.filter((outcome) => !isNative(outcome)).map(finish));
  return targets.map((target) => outcomes.get(target) ?? { target, artifacts: [], fault: 'was not tried' });
}

async function makeOne(target: ReadyTarget): Promise<Outcome> {
  try {
    return { target, artifacts: await makeArtifacts(target) };
  } catch (error) {
    return { target, artifacts: [], fault: explain(error) };
  }
}

async function smokeOne(outcome: Outcome): Promise<Outcome> {
  const { target, artifacts } = outcome;
  try {
    const archive = artifacts.find(({ kind }) => kind === 'tar.gz');
    if (archive === undefined) throw new TypeError(`${target.triple} has no tarball`);
    return { ...outcome, smoked: await smoke(target, archive) };
  } catch (error) {
    return { ...outcome, fault: explain(error) };
  }
}

async function smoke(target: ReadyTarget, archive: MadeArtifact): Promise<Smoked> {
  const { facts } = await runStep<Smoked>({
    step: 'smoke',
    target: target.triple,
    inputs: { archive: archive.sha256, target: JSON.stringify(target), sandbox: sandboxInputs(target), version },
    module: import.meta.filename,
    outputs: [],
    make: () => session(target, archive),
    summary: (smoked) => `${smoked.checks} checks, ${smoked.how}, first answer after ${smoked.startMs.toFixed(0)} ms`,
  });
  return facts;
}

async function session(target: ReadyTarget, archive: MadeArtifact): Promise<Smoked> {
  await need(tools.curl);
  const got = await sha256File(artifactPath(archive));
  if (got !== archive.sha256) throw new Failure(`${archive.file} must have the SHA-256 ${archive.sha256}, got ${got}`);
  const product = await unpack(target, artifactPath(archive));
  const identity = await identityOf(target);
  const { commit } = identity;
  const faults = identityFaults(identity, await versionOf(product));
  faults.push(...(await trySession(product, { version, commit, target: target.triple })));
  if (faults.length > 0)
    throw new Failure(`${product.how}, ${program.name} breaks a promise:\n  ${faults.join('\n  ')}`);
  const times = [await startTime(product), await startTime(product), await startTime(product)].sort((a, b) => a - b);
  return { how: product.how, checks: countOf(checksFor(product)), startMs: times[1] ?? 0 };
}

async function identityOf({ triple, runtime }: ReadyTarget): Promise<Identity> {
  const { commit } = await readOrigin();
  return { version, commit, target: triple, runtime: runtime.sha256, node: readTargets().node };
}

async function versionOf(product: Product): Promise<string> {
  const { code, stdout, stderr } = await new Server(product, 0, ['--version', '--json']).end();
  if (code !== 0) throw new Failure(`--version --json must end with exit code 0, got ${code}: ${stderr.trim()}`);
  return stdout;
}

if (import.meta.main) {
  await withTargets('Runs the archive of each target as a person would.', async (targets) => {
    const faults = (await smokeAll(targets)).filter((outcome) => outcome.fault !== undefined);
    if (faults.length > 0)
      throw new Failure(faults.map(({ target, fault }) => `${target.triple}: ${fault}`).join('\n'));
  });
}

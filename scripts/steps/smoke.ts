/**
 * `smoke`: a person's session with the archive, as the program's description says it, and the time from starting the program to
 * its first answer, or to its end. Targets that run natively go one after the other, so that the times mean something; emulated
 * ones side by side.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { program, type SmokeSession } from '../program/program.ts';
import { runsNatively } from '../sandbox/emulation.ts';
import { sandboxInputs } from '../sandbox/sandbox.ts';
import { type Checks, chosen, countOf } from '../smoke/checks.ts';
import { describedChecks, isServer, tryToEnd } from '../smoke/described.ts';
import { type BuildFacts, trySession } from '../smoke/session.ts';
import { startTime } from '../smoke/start-time.ts';
import { type Kind, plainSession, tryUndescribed } from '../smoke/undescribed.ts';
import { type Product, unpack } from '../smoke/unpack.ts';
import { readOrigin } from '../sources/origin.ts';
import { root } from '../support/checkout.ts';
import { explain, Failure } from '../support/errors.ts';
import { sha256, sha256File } from '../support/hash.ts';
import { codeOf } from '../support/imports.ts';
import { runStep } from '../support/step.ts';
import { need, tools } from '../support/system-tools.ts';
import { artifactPath, type MadeArtifact } from '../targets/artifacts.ts';
import { withTargets } from '../targets/select.ts';
import { type ReadyTarget, readTargets } from '../targets/targets.ts';
import { makeArtifacts } from './artifacts.ts';
import { bundle } from './bundle.ts';
import { inspect } from './inspect.ts';
import { type Verified, verify } from './verify.ts';

export interface Smoked {
  readonly how: string;
  readonly checks: number;
  /** Median of three; under QEMU one, which says nothing about the product. */
  readonly startMs: number;
  /** Of a program whose description does not say how it is tried. */
  readonly kind?: Kind;
}

export interface Outcome {
  readonly target: ReadyTarget;
  readonly artifacts: readonly MadeArtifact[];
  readonly product?: Verified;
  readonly smoked?: Smoked;
  /** The reason why it must not be released. */
  readonly fault?: string;
}

/** Makes and smokes all targets; one that fails does not stop the others. */
export async function smokeAll(targets: readonly ReadyTarget[]): Promise<Outcome[]> {
  const made = await Promise.all(targets.map(makeOne));
  const outcomes = new Map<ReadyTarget, Outcome>();
  let isKnownServer = false;
  const finish = async (outcome: Outcome): Promise<void> => {
    const finished = outcome.fault === undefined ? await smokeOne(outcome, isKnownServer) : outcome;
    outcomes.set(outcome.target, finished);
    isKnownServer ||= finished.smoked?.kind === 'server';
  };
  const isNative = ({ target }: Outcome): boolean => runsNatively(target);
  for (const outcome of made.filter(isNative)) await finish(outcome);
  await Promise.all(made.filter((outcome) => !isNative(outcome)).map(finish));
  return targets.map((target) => {
    const outcome = outcomes.get(target) ?? { target, artifacts: [], fault: 'was not tried' };
    const isLate = isKnownServer && outcome.smoked?.kind === 'keeps running';
    return isLate ? { ...outcome, fault: 'it listens on another target, here it did not in time' } : outcome;
  });
}

async function makeOne(target: ReadyTarget): Promise<Outcome> {
  try {
    const artifacts = await makeArtifacts(target);
    await inspect(target, artifacts);
    return { target, artifacts, product: await verify(target) };
  } catch (error) {
    return { target, artifacts: [], fault: explain(error) };
  }
}

async function smokeOne(outcome: Outcome, mustListen: boolean): Promise<Outcome> {
  const { target, artifacts } = outcome;
  try {
    const archive = artifacts.find(({ kind }) => kind === 'tar.gz');
    if (archive === undefined) throw new TypeError(`${target.triple} has no tarball`);
    const hasAddons = (await bundle(target)).system !== undefined;
    return { ...outcome, smoked: await smoke(target, archive, hasAddons, mustListen) };
  } catch (error) {
    return { ...outcome, fault: explain(error) };
  }
}

async function smoke(
  target: ReadyTarget,
  archive: MadeArtifact,
  hasAddons: boolean,
  mustListen: boolean,
): Promise<Smoked> {
  const { facts } = await runStep<Smoked>({
    step: 'smoke',
    target: target.triple,
    inputs: {
      archive: archive.sha256,
      target: JSON.stringify(target),
      sandbox: sandboxInputs(target),
      smoke: JSON.stringify(program.smoke),
      modules: await hashOfModules(),
      mustListen: String(mustListen),
    },
    module: import.meta.filename,
    outputs: [],
    make: () => session(target, archive, hasAddons, mustListen),
    summary: (smoked) => `${smoked.checks} checks, ${smoked.how}, first answer after ${smoked.startMs.toFixed(0)} ms`,
  });
  return facts;
}

/** Of the checks that the description names, which no import of ours leads to. */
async function hashOfModules(): Promise<string> {
  const modules = program.smoke.flatMap(({ module }) => (module === undefined ? [] : [path.join(root, module)]));
  const files = (await Promise.all(modules.map(codeOf))).flat();
  return sha256((await Promise.all(files.map(sha256File))).join());
}

async function session(
  target: ReadyTarget,
  archive: MadeArtifact,
  hasAddons: boolean,
  mustListen: boolean,
): Promise<Smoked> {
  await need(tools.curl);
  const got = await sha256File(artifactPath(archive));
  if (got !== archive.sha256) throw new Failure(`${archive.file} must have the SHA-256 ${archive.sha256}, got ${got}`);
  const product = await unpack(target, artifactPath(archive), hasAddons);
  const build = await factsOf(target);
  const faults: string[] = [];
  const times: number[] = [];
  let checks = 0;
  let kind: Kind | undefined;
  if (program.smoke.length === 0) {
    const found = await tryUndescribed(product, mustListen);
    kind = found.kind;
    faults.push(...found.faults);
    checks++;
    const isServer = found.kind === 'server' && faults.length === 0;
    times.push(isServer && !product.isEmulated ? await medianStart(product, plainSession) : found.ms);
  }
  for (const smoke of program.smoke) {
    if (!isServer(smoke)) {
      const ended = await tryToEnd(product, smoke, isClosed);
      faults.push(...ended.faults);
      times.push(ended.ms);
      checks += isClosed ? 2 : 1;
      continue;
    }
    const all = chosen(joined(describedChecks(smoke, isClosed), await furtherChecks(smoke)), product.isEmulated);
    const tried = await trySession(product, build, all, smoke);
    faults.push(...tried.faults);
    checks += countOf(all) + (smoke.writesNothing === true ? 1 : 0);
    if (faults.length === 0) times.push(product.isEmulated ? tried.readyMs : await medianStart(product, smoke));
  }
  if (faults.length > 0)
    throw new Failure(`${product.how}, ${program.name} breaks a promise:\n  ${faults.join('\n  ')}`);
  const { how } = product;
  const startMs = times[0] ?? 0;
  return kind === undefined ? { how, checks, startMs } : { how: `${how}, ${kind}`, checks, startMs, kind };
}

const isClosed = program.environment === 'closed';

/** Those of the module go last; an end of its own takes the place of the general one. */
function joined(own: Checks, further: Checks | undefined): Checks {
  if (further === undefined) return own;
  const last = further.last.length > 0 ? further.last : own.last;
  return { asked: [...own.asked, ...further.asked], alone: [...own.alone, ...further.alone], last };
}

async function furtherChecks({ module }: SmokeSession): Promise<Checks | undefined> {
  if (module === undefined) return undefined;
  const { checks } = (await import(pathToFileURL(path.join(root, module)).href)) as { checks?: Checks };
  if (checks === undefined) throw new Failure(`${module} must export checks, it does not`);
  return checks;
}

/** Natively: an emulated start takes seconds, and its time says nothing. */
async function medianStart(product: Product, smoke: SmokeSession): Promise<number> {
  const times = [await startTime(product, smoke), await startTime(product, smoke), await startTime(product, smoke)];
  return times.sort((a, b) => a - b)[1] ?? 0;
}

async function factsOf({ triple, runtime }: ReadyTarget): Promise<BuildFacts> {
  const { commit } = await readOrigin();
  return { version: program.version, commit, target: triple, runtime: runtime.sha256, node: readTargets().node };
}

if (import.meta.main) {
  await withTargets('Runs the archive of each target as a person would.', async (targets) => {
    const faults = (await smokeAll(targets)).filter((outcome) => outcome.fault !== undefined);
    if (faults.length > 0)
      throw new Failure(faults.map(({ target, fault }) => `${target.triple}: ${fault}`).join('\n'));
  });
}

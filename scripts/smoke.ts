/**
 * Step 7, `smoke`: a person's session with the archive, and the time from starting the program to its first answer.
 * Targets that run natively go one after the other, so that the times mean something; emulated ones side by side.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { type Archive, archive } from './archive.ts';
import { command } from './command.ts';
import { rootFolder } from './derived.ts';
import { need, tools } from './need.ts';
import { explain, Failure } from './problem.ts';
import { checks, type Session } from './smoke/checks.ts';
import { oldestLibc } from './smoke/oldest-libc.ts';
import { prepare } from './smoke/place.ts';
import { freePort, Server, startTime } from './smoke/server.ts';
import { runStep } from './step.ts';
import type { ReadyTarget } from './targets.ts';

export interface Smoked {
  readonly how: string;
  readonly checks: number;
  /** Median of three; under QEMU it says nothing about the product. */
  readonly startMs: number;
}

export interface Outcome {
  readonly target: ReadyTarget;
  readonly archive?: Archive;
  readonly smoked?: Smoked;
  /** Why it may not be released. */
  readonly fault?: string;
}

/** Packs and smokes all targets; a target that fails does not stop the others. */
export async function smokeAll(targets: readonly ReadyTarget[]): Promise<Outcome[]> {
  const packed = await Promise.all(
    targets.map((target) => attempt(target, async () => ({ archive: await archive(target) }))),
  );
  const outcomes = new Map<string, Outcome>();
  const finish = async (outcome: Outcome): Promise<void> => {
    const { target, archive: packedArchive } = outcome;
    const after = packedArchive === undefined ? outcome : await attempt(target, () => smokeOne(target, packedArchive));
    outcomes.set(target.triple, { ...outcome, ...after });
  };
  const isEmulated = ({ target }: Outcome): boolean => target.emulator !== null;
  for (const outcome of packed.filter((each) => !isEmulated(each))) await finish(outcome);
  await Promise.all(packed.filter(isEmulated).map(finish));
  return targets.map((target) => outcomes.get(target.triple) ?? { target, fault: 'was not tried' });
}

async function attempt(target: ReadyTarget, work: () => Promise<Partial<Outcome>>): Promise<Outcome> {
  try {
    return { target, ...(await work()) };
  } catch (error) {
    return { target, fault: explain(error) };
  }
}

async function smokeOne(target: ReadyTarget, packed: Archive): Promise<Partial<Outcome>> {
  const { facts } = await runStep<Smoked>({
    step: 'smoke',
    target: target.triple,
    inputs: {
      archive: packed.sha256,
      row: JSON.stringify(target),
      user: String(process.getuid?.()),
      libc: rootFolder(target) === 'oldest libc' ? oldestLibc(target).sha256 : '',
    },
    code: [import.meta.filename, path.join(import.meta.dirname, 'derived.ts'), ...sources()],
    outputs: [],
    make: () => session(target, packed),
    summary: (smoked) => `${smoked.checks} checks, ${smoked.how}, first answer after ${smoked.startMs.toFixed(0)} ms`,
  });
  return { archive: packed, smoked: facts };
}

async function session(target: ReadyTarget, packed: Archive): Promise<Smoked> {
  await need(tools.curl);
  const place = await prepare(target, packed.file);
  const port = await freePort();
  const server = new Server(place, port, [String(port)]);
  const faults: string[] = [];
  try {
    const line = await server.line();
    const asked: Session = { place, server, line, url: `http://127.0.0.1:${port}` };
    for (const { sentence, run } of checks) {
      await run(asked).catch((error: unknown) => faults.push(`${sentence}: ${reason(error)}`));
    }
  } finally {
    server.signal('SIGKILL');
    await server.end();
  }
  if (faults.length > 0) throw new Failure(`${place.how}, it does not keep this promise:\n  ${faults.join('\n  ')}`);
  const times = [await startTime(place), await startTime(place), await startTime(place)].sort((a, b) => a - b);
  return { how: place.how, checks: checks.length, startMs: times[1] ?? 0 };
}

function reason(error: unknown): string {
  const [first = '', ...rest] = explain(error).split('\n');
  return error instanceof Failure
    ? first
    : [first, ...rest.filter((line) => /^\s*[+-]/.test(line))].join(' ').slice(0, 600);
}

function sources(): string[] {
  const folder = path.join(import.meta.dirname, 'smoke');
  return readdirSync(folder).map((file) => path.join(folder, file));
}

if (import.meta.main) {
  await command('Runs the archive of each target like a person would.', async (targets) => {
    const faults = (await smokeAll(targets)).filter((outcome) => outcome.fault !== undefined);
    if (faults.length > 0)
      throw new Failure(faults.map(({ target, fault }) => `${target.triple}: ${fault}`).join('\n'));
  });
}

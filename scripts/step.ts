/**
 * One step of the chain: run it once per process, skip it when its inputs and outputs are what they were, say so.
 * Owns `build/stamps/`: one JSON file a step and target, holding the key of the inputs, the hashes of the outputs
 * and the facts that the step found out.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { build, cores, shown } from './project.ts';
import { during, say, stepLine } from './say.ts';

export interface Recipe<Facts> {
  readonly step: string;
  readonly target?: string;
  /** Everything that the result depends on: text by name. Files go in as their SHA-256. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Source files of the toolchain that take part; changed code makes the step run again. */
  readonly code: readonly string[];
  readonly outputs: readonly string[];
  /** Makes the outputs and returns what is worth knowing about them. */
  readonly make: () => Promise<Facts>;
  /** What to show behind the step's name. */
  readonly summary?: (facts: Facts) => string;
}

export interface Made<Facts> {
  readonly facts: Facts;
  /** SHA-256 of each output, in the recipe's order. */
  readonly hashes: readonly string[];
  readonly skipped: boolean;
}

interface Stamp<Facts> {
  key: string;
  outputs: string[];
  facts: Facts;
}

const started = new Map<string, Promise<unknown>>();

/** The same work is done once in a process, however many steps ask for it. */
export function once<T>(name: string, work: () => Promise<T>): Promise<T> {
  let promise = started.get(name) as Promise<T> | undefined;
  if (promise === undefined) {
    promise = work();
    started.set(name, promise);
  }
  return promise;
}

export async function runStep<Facts>(recipe: Recipe<Facts>): Promise<Made<Facts>> {
  const { step, target } = recipe;
  const label = target === undefined ? step : `${step} ${target}`;
  const key = await keyOf(recipe);
  const file = path.join(build, 'stamps', `${label.replace(' ', '.')}.json`);
  const stamp = await readStamp<Facts>(file);
  if (stamp?.key === key && (await isAsStamped(recipe.outputs, stamp.outputs))) {
    say(stepLine(step, target, `unchanged ${recipe.summary?.(stamp.facts) ?? ''}`.trimEnd()));
    return { facts: stamp.facts, hashes: stamp.outputs, skipped: true };
  }
  await rm(file, { force: true });
  const work = async (): Promise<{ facts: Facts; seconds: number }> => {
    const start = performance.now();
    for (const output of recipe.outputs) await mkdir(path.dirname(output), { recursive: true });
    const facts = await during(label, recipe.make);
    return { facts, seconds: (performance.now() - start) / 1000 };
  };
  const { facts, seconds } = await inASlot(work);
  const outputs = await Promise.all(recipe.outputs.map(sha256File));
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify({ key, outputs, facts } satisfies Stamp<Facts>, null, 2));
  await rename(`${file}.new`, file);
  say(stepLine(step, target, `${seconds.toFixed(1)} s ${recipe.summary?.(facts) ?? ''}`.trimEnd()));
  return { facts, hashes: outputs, skipped: false };
}

export async function sha256File(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** At most as many at a time as there are cores. */
export async function inASlot<T>(work: () => Promise<T>): Promise<T> {
  if (busy >= cores) await new Promise<void>((resolve) => waiting.push(resolve));
  else busy++;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) busy--;
    else next();
  }
}

let busy = 0;
const waiting: (() => void)[] = [];

async function keyOf<Facts>(recipe: Recipe<Facts>): Promise<string> {
  const code = await Promise.all([...recipe.code].sort().map(async (file) => [shown(file), await sha256File(file)]));
  const inputs = Object.entries(recipe.inputs).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify({ inputs, code, outputs: recipe.outputs.map(shown), node: process.version }));
}

async function readStamp<Facts>(file: string): Promise<Stamp<Facts> | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Stamp<Facts>;
  } catch {
    return undefined;
  }
}

async function isAsStamped(outputs: readonly string[], hashes: readonly string[]): Promise<boolean> {
  try {
    const now = await Promise.all(outputs.map(sha256File));
    return now.every((hash, index) => hash === hashes[index]);
  } catch {
    return false;
  }
}

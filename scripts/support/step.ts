/**
 * The step runner, for releases and runtimes alike: skips a step whose inputs, code and outputs are unchanged, and reports
 * the result. Owns the stamps: one JSON file per step and target with the key of the inputs, the hashes of the outputs
 * and the facts that the step found.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, shown } from './checkout.ts';
import { sha256, sha256File } from './hash.ts';
import { codeOf } from './imports.ts';
import { once } from './once.ts';
import { during, say, stepLine } from './progress.ts';
import { withSlot } from './slots.ts';

export interface Recipe<Facts> {
  readonly step: string;
  readonly target?: string;
  /** Everything that the result depends on, besides the code: text by name, files as their SHA-256. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The step's own module (`import.meta.filename`): a change of it, or of what it imports, runs the step again. */
  readonly module: string;
  readonly outputs: readonly string[];
  /** Where the stamp is kept, if it has to be deleted together with the outputs; default: `build/stamps`. */
  readonly stamps?: string;
  /** Makes the outputs and returns what is worth knowing about them. */
  readonly make: () => Promise<Facts>;
  /** Shown after the step's name. */
  readonly summary?: (facts: Facts) => string;
}

export interface Made<Facts> {
  /** The hash of everything that the result depends on. */
  readonly key: string;
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

export async function runStep<Facts>(recipe: Recipe<Facts>): Promise<Made<Facts>> {
  const { step, target, stamps = path.join(build, 'stamps') } = recipe;
  const label = target === undefined ? step : `${step} ${target}`;
  const key = await keyOf(recipe);
  const file = path.join(stamps, `${label.replace(' ', '.')}.json`);
  const stamp = await readStamp<Facts>(file);
  if (stamp?.key === key && (await isAsStamped(recipe.outputs, stamp.outputs))) {
    say(stepLine(step, target, `unchanged ${recipe.summary?.(stamp.facts) ?? ''}`.trimEnd()));
    return { key, facts: stamp.facts, hashes: stamp.outputs, skipped: true };
  }
  await rm(file, { force: true });
  const work = async (): Promise<{ facts: Facts; seconds: number }> => {
    const start = performance.now();
    for (const output of recipe.outputs) {
      await mkdir(path.dirname(output), { recursive: true });
      // Always a new file: the old one may have other names (hard links), and must not survive a failure.
      await rm(output, { force: true });
    }
    const facts = await during(label, recipe.make);
    return { facts, seconds: (performance.now() - start) / 1000 };
  };
  const { facts, seconds } = await withSlot(work);
  const outputs = await Promise.all(recipe.outputs.map(sha256File));
  await mkdir(stamps, { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify({ key, outputs, facts } satisfies Stamp<Facts>, null, 2));
  await rename(`${file}.new`, file);
  say(stepLine(step, target, `${seconds.toFixed(1)} s ${recipe.summary?.(facts) ?? ''}`.trimEnd()));
  return { key, facts, hashes: outputs, skipped: false };
}

async function keyOf<Facts>(recipe: Recipe<Facts>): Promise<string> {
  const code = await hashesOfCode(recipe.module);
  const inputs = Object.entries(recipe.inputs).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify({ inputs, code, outputs: recipe.outputs.map(shown), node: process.version }));
}

/** Read once: whoever changes code meanwhile is refused at the end. */
function hashesOfCode(module: string): Promise<readonly (readonly [file: string, hash: string])[]> {
  return once(`code of ${module}`, async () => {
    const files = await codeOf(module);
    return Promise.all(
      files.map(async (file) => [shown(file), await once(`code ${file}`, () => sha256File(file))] as const),
    );
  });
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

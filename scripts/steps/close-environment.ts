/**
 * `close-environment`: environment variables that make Node load foreign code or write files have no effect in the
 * product. Owns `build/closed/`.
 *
 * Node and OpenSSL look them up by name, and each name is a NUL-terminated string in the executable. Its first byte becomes
 * NUL, so the program looks up the variable "", which cannot exist (getenv of both libcs returns NULL).
 * Same length, same place, deterministic; it works for every runtime, however it was configured.
 * `smoke` proves it on every target by starting the product with all of them set to something harmful.
 */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { blankNames } from '../formats/c-strings.ts';
import { closedVariables } from '../program/closed-variables.ts';
import { cache } from '../support/checkout.ts';
import { once } from '../support/once.ts';
import { counted } from '../support/progress.ts';
import { runStep } from '../support/step.ts';
import { eachTarget } from '../targets/select.ts';
import { sharedPath } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { nodeBinary } from './node-binary.ts';

export interface Closed {
  readonly file: string;
  readonly sha256: string;
}

export function closeEnvironment(target: ReadyTarget): Promise<Closed> {
  return once(`close-environment ${target.triple}`, () => make(target));
}

async function make(target: ReadyTarget): Promise<Closed> {
  const from = await nodeBinary(target);
  const file = sharedPath('closed', target, 'node');
  const { hashes } = await runStep({
    step: 'close-environment',
    target: target.triple,
    inputs: { node: from.sha256 },
    module: import.meta.filename,
    stamps: path.join(cache, 'stamps'),
    outputs: [file],
    make: async () => {
      const executable = await readFile(from.file);
      const found = blankNames(executable, Object.keys(closedVariables));
      await writeFile(file, executable);
      await chmod(file, 0o755);
      return { found };
    },
    summary: ({ found }) => `${counted(Object.values(found).filter((count) => count > 0).length, 'name')} closed`,
  });
  return { file, sha256: hashes[0] ?? '' };
}

if (import.meta.main) await eachTarget('Disables harmful environment variables in each runtime.', closeEnvironment);

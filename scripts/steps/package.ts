/**
 * `package`: joins code, files and the target's runtime into one executable. Owns `build/package/`, one folder per target.
 *
 * It is what pkg does in its SEA mode, and for the same code the same bytes but for the code cache (test/packaged/blob.test.ts): the blob is
 * Node's own format, written here for either word size, and takes the place of the empty one that postject has injected. pkg itself
 * would need a 32-bit Node, emulated on most machines, to make a 32-bit target's blob, and its command line knows no files beside the code.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { blobOf } from '../contents/blob.ts';
import { withBlob } from '../formats/exchanged-blob.ts';
import { writeSeaBlob } from '../formats/sea-blob.ts';
import { program } from '../program/program.ts';
import { readOrigin } from '../sources/origin.ts';
import { assertBuildHost } from '../support/host.ts';
import { once } from '../support/once.ts';
import { megabytes } from '../support/progress.ts';
import { runStep } from '../support/step.ts';
import { eachTarget } from '../targets/select.ts';
import { builtPath } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { type Bundle, bundle } from './bundle.ts';
import { codeCache } from './code-cache.ts';
import { injected } from './inject.ts';

export interface Packaged {
  readonly file: string;
  readonly sha256: string;
  readonly bundle: Bundle;
}

export function packaged(target: ReadyTarget): Promise<Packaged> {
  return once(`package ${target.triple}`, () => make(target));
}

async function make(target: ReadyTarget): Promise<Packaged> {
  assertBuildHost();
  const cache = await codeCache(target);
  const made: Bundle = { ...(await bundle(target)), codeCache: cache?.file };
  const runtime = await injected(target);
  const file = builtPath('package', target, program.name);
  const { hashes } = await runStep({
    step: 'package',
    target: target.triple,
    inputs: {
      code: made.sha256,
      cache: cache?.sha256 ?? '',
      runtime: runtime.sha256,
      program: JSON.stringify([program.name, program.execArgv]),
      packages: (await readOrigin()).packages,
    },
    module: import.meta.filename,
    outputs: [file],
    make: async () => {
      const blob = writeSeaBlob(await blobOf(made), target.architecture.elf.class);
      const product = withBlob(await readFile(runtime.file), blob);
      await writeFile(file, product, { mode: 0o755 });
      return { bytes: product.length };
    },
    summary: ({ bytes }) => megabytes(bytes),
  });
  return { file, sha256: hashes[0] ?? '', bundle: made };
}

if (import.meta.main) await eachTarget('Joins the program and the runtime into one executable per target.', packaged);

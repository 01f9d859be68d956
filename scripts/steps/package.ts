/**
 * `package`: joins code, files and the target's runtime into one executable. Owns `build/package/`, one folder per target.
 *
 * It is what pkg does in its SEA mode, and for the same code the same bytes (test/packaged/blob.test.ts): the blob is
 * Node's own format, written here for either word size, and postject injects it. pkg itself would need a 32-bit Node, emulated
 * on most machines, to make a 32-bit target's blob, and its command line knows no files beside the code.
 */
import { copyFile, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { blobOf } from '../contents/blob.ts';
import { fuse, noteName, writeSeaBlob } from '../formats/sea-blob.ts';
import { program } from '../program/program.ts';
import { readOrigin } from '../sources/origin.ts';
import { Failure } from '../support/errors.ts';
import { assertBuildHost } from '../support/host.ts';
import { once } from '../support/once.ts';
import { megabytes } from '../support/progress.ts';
import { run } from '../support/run.ts';
import { runStep } from '../support/step.ts';
import { withTemporaryFolder } from '../support/temporary-folder.ts';
import { eachTarget } from '../targets/select.ts';
import { builtPath } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { type Bundle, bundle } from './bundle.ts';
import { closeEnvironment } from './close-environment.ts';
import { nodeBinary } from './node-binary.ts';

export interface Packaged {
  readonly file: string;
  readonly sha256: string;
  readonly bundle: Bundle;
}

export function packaged(target: ReadyTarget): Promise<Packaged> {
  return once(`package ${target.triple}`, () => make(target));
}

/** The first line of postject's output that a good run does not print. */
export function unexpectedLine(output: string): string | undefined {
  return output.split('\n').find((line) => line.trim() !== '' && !expected.some((pattern) => pattern.test(line)));
}

const expected = [
  // LIEF has moved the names that it looks for; the sections themselves are checked by `verify`.
  /^warning: Can't find string offset for section name '\.note(\.\S+)?'$/,
];

async function make(target: ReadyTarget): Promise<Packaged> {
  assertBuildHost();
  const made = await bundle(target);
  const runtime = program.environment === 'closed' ? await closeEnvironment(target) : await nodeBinary(target);
  const file = builtPath('package', target, program.name);
  const blob = builtPath('package', target, 'blob');
  const { hashes } = await runStep({
    step: 'package',
    target: target.triple,
    inputs: {
      code: made.sha256,
      runtime: runtime.sha256,
      program: JSON.stringify([program.name, program.execArgv]),
      packages: (await readOrigin()).packages,
    },
    module: import.meta.filename,
    outputs: [file, blob],
    make: async () => {
      await copyFile(runtime.file, file);
      await writeFile(blob, writeSeaBlob(await blobOf(made), target.architecture.elf.class));
      await inject(file, blob);
      return { bytes: (await stat(file)).size };
    },
    summary: ({ bytes }) => megabytes(bytes),
  });
  return { file, sha256: hashes[0] ?? '', bundle: made };
}

/** postject writes into the file; its own process, because it computes for seconds without a pause. */
async function inject(file: string, blob: string): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    const { PATH = '' } = process.env;
    const { code, stdout, stderr } = await run(
      [process.execPath, '--eval', injecting, postject, file, noteName, blob, fuse],
      { env: { PATH, HOME: folder }, cwd: folder },
    );
    const said = `${stdout}\n${stderr}`.trim();
    if (code !== 0) throw new Failure(`postject ended with exit code ${code}: ${said}`);
    const line = unexpectedLine(said);
    if (line !== undefined) throw new Failure(`postject must print nothing unusual, got: ${line}`);
  });
}

const postject = createRequire(import.meta.url).resolve('postject');
const injecting = `
  const [postject, file, name, blob, sentinelFuse] = process.argv.slice(1);
  require(postject).inject(file, name, require('node:fs').readFileSync(blob), { sentinelFuse });
`;

if (import.meta.main) await eachTarget('Joins the program and the runtime into one executable per target.', packaged);

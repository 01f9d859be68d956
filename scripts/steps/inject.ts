/**
 * `inject`: each runtime with an empty blob, by postject, which takes seconds: once per runtime, for all programs. `package` exchanges
 * the blob. Owns `build/injected/`.
 */
import { chmod, copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fuse, noteName } from '../formats/sea-blob.ts';
import { program } from '../program/program.ts';
import { cache } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { once } from '../support/once.ts';
import { run } from '../support/run.ts';
import { runStep } from '../support/step.ts';
import { withTemporaryFolder } from '../support/temporary-folder.ts';
import { eachTarget } from '../targets/select.ts';
import { sharedPath } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { closeEnvironment } from './close-environment.ts';
import { nodeBinary } from './node-binary.ts';

export interface Injected {
  readonly file: string;
  readonly sha256: string;
}

export function injected(target: ReadyTarget): Promise<Injected> {
  return once(`inject ${target.triple}`, () => make(target));
}

async function make(target: ReadyTarget): Promise<Injected> {
  const { environment } = program;
  const runtime = environment === 'closed' ? await closeEnvironment(target) : await nodeBinary(target);
  const file = sharedPath('injected', target, environment);
  const { hashes } = await runStep({
    step: `inject-${environment}`,
    target: target.triple,
    inputs: { runtime: runtime.sha256 },
    module: import.meta.filename,
    stamps: path.join(cache, 'stamps'),
    outputs: [file],
    make: async () => {
      await copyFile(runtime.file, file);
      await inject(file);
      await chmod(file, 0o755);
    },
  });
  return { file, sha256: hashes[0] ?? '' };
}

/** postject writes into the file; its own process, because it computes for seconds without a pause. */
async function inject(file: string): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    const { PATH = '' } = process.env;
    const { code, stdout, stderr } = await run(
      [process.execPath, '--eval', injecting, postject, file, noteName, fuse],
      { env: { PATH, HOME: folder }, cwd: folder },
    );
    const said = `${stdout}\n${stderr}`.trim();
    if (code !== 0) throw new Failure(`postject ended with exit code ${code}: ${said}`);
    const line = unexpectedLine(said);
    if (line !== undefined) throw new Failure(`postject must print nothing unusual, got: ${line}`);
  });
}

/** The first line of postject's output that a good run does not print. */
export function unexpectedLine(output: string): string | undefined {
  return output.split('\n').find((line) => line.trim() !== '' && !expected.some((pattern) => pattern.test(line)));
}

const expected = [
  // LIEF has moved the names that it looks for; the sections themselves are checked by `verify`.
  /^warning: Can't find string offset for section name '\.note(\.\S+)?'$/,
];

const postject = createRequire(import.meta.url).resolve('postject');
const injecting = `
  const [postject, file, name, sentinelFuse] = process.argv.slice(1);
  require(postject).inject(file, name, Buffer.alloc(4), { sentinelFuse });
`;

if (import.meta.main) await eachTarget('Prepares each runtime for carrying a program.', injected);

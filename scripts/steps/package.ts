/**
 * `package`: pkg (SEA mode, its public command line) joins the bundle and the closed runtime into one executable.
 * Owns `build/package/`, one folder per target.
 *
 * - pkg has no option for a custom runtime, but takes one from its cache: every target has a HOME of its own whose cache
 *   contains exactly that runtime, and nothing is fetched.
 * - pkg makes the blob with `process.execPath` if the cache slot is of a foreign architecture and the versions agree. So the
 *   slot is always `linux-arm64`, and a line of code that runs before pkg sets `process.execPath` to the generator of the
 *   target's word size (blob-generator.ts). pkg itself is never emulated: there it takes 10 seconds instead of 3.
 * - The blob contains the absolute path of the bundle. The bundle is given under a path whose length is the same in every
 *   checkout, and the path in the blob is then replaced, so that stack traces name the program.
 * - pkg has shipped broken files with exit code 0: any line that we do not expect is a failure.
 */
import { copyFile, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { readElf } from '../formats/elf.ts';
import { setCodePath } from '../formats/sea-blob.ts';
import { program } from '../program/vrypt-server.ts';
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
import { type ReadyTarget, readTargets } from '../targets/targets.ts';
import { blobGenerator } from './blob-generator.ts';
import { type Bundle, bundle } from './bundle.ts';
import { closeEnvironment } from './close-environment.ts';

export interface Packaged {
  readonly file: string;
  readonly sha256: string;
  readonly bundle: Bundle;
}

export function packaged(target: ReadyTarget): Promise<Packaged> {
  return once(`package ${target.triple}`, () => make(target));
}

/** The first line of pkg's output that a good run does not print. */
export function unexpectedLine(output: string): string | undefined {
  return output.split('\n').find((line) => line.trim() !== '' && !expected.some((pattern) => pattern.test(line)));
}

const slot = 'linux-arm64';
const expected = [
  /^> pkg@[\d.]+$/,
  /^> Extracting node binary from node-v[\d.]+-linux-arm64\.tar\.gz$/,
  /^> Creating sea-config\.json file\.\.\.$/,
  /^> Generating the blob\.\.\.$/,
  /^> Creating executable for node[\d.]+-linux-arm64\.\.\.\.$/,
  /^> Injecting the blob into .+\.\.\.$/,
];

async function make(target: ReadyTarget): Promise<Packaged> {
  assertBuildHost();
  const bundled = await bundle();
  const runtime = await closeEnvironment(target);
  const generator = await blobGenerator(target);
  const file = builtPath('package', target, program.name);
  const { hashes } = await runStep({
    step: 'package',
    target: target.triple,
    inputs: {
      bundle: bundled.sha256,
      runtime: runtime.sha256,
      generator: generator.identity,
      packages: (await readOrigin()).packages,
    },
    module: import.meta.filename,
    outputs: [file],
    make: async () => {
      const home = await seedHome(target, runtime.file);
      await withTemporaryFolder(async (folder) => {
        const input = path.join(folder, 'code.cjs');
        await copyFile(bundled.file, input);
        await runPkg(generator.file, home, input, file);
      });
      await rm(home, { recursive: true });
      await renameCode(file);
      return { bytes: (await stat(file)).size };
    },
    summary: ({ bytes }) => megabytes(bytes),
  });
  return { file, sha256: hashes[0] ?? '', bundle: bundled };
}

async function runPkg(generator: string, home: string, input: string, output: string): Promise<void> {
  const { node } = readTargets();
  const { PATH = '' } = process.env;
  const options = ['--sea', input, '-t', `node${node}-${slot}`, '-o', output];
  const { code, stdout, stderr } = await run(
    [process.execPath, '--import', setExecPath(generator), pkgScript(), ...options],
    { env: { PATH, HOME: home, TMPDIR: home, NO_COLOR: '1' }, cwd: path.dirname(output) },
  );
  const said = `${stdout}\n${stderr}`.trim();
  if (code !== 0) throw new Failure(`pkg ended with exit code ${code}: ${said}`);
  const line = unexpectedLine(said);
  if (line !== undefined) throw new Failure(`pkg must print nothing unusual, got: ${line}`);
}

/** Stack traces of the product name the program instead of a file that is gone. */
async function renameCode(file: string): Promise<void> {
  const executable = await readFile(file);
  setCodePath(readElf(executable), program.name);
  await writeFile(file, executable);
}

/** A HOME whose pkg cache contains the runtime, marked as downloaded, checked and unpacked. */
async function seedHome(target: ReadyTarget, runtime: string): Promise<string> {
  const home = builtPath('package', target, 'home');
  const unpacked = `node-v${readTargets().node}-${slot}`;
  const cache = path.join(home, '.pkg-cache/sea');
  const bin = path.join(cache, unpacked, 'bin');
  await rm(home, { recursive: true, force: true });
  await mkdir(bin, { recursive: true });
  await link(runtime, path.join(bin, 'node'));
  for (const mark of [path.join(cache, `${unpacked}.tar.gz`), path.join(cache, `${unpacked}.tar.gz.ok`)]) {
    await writeFile(mark, '');
  }
  await writeFile(path.join(bin, 'node.ok'), '');
  return home;
}

function setExecPath(file: string): string {
  return `data:text/javascript,${encodeURIComponent(`process.execPath = ${JSON.stringify(file)}`)}`;
}

function pkgScript(): string {
  return require.resolve('@yao-pkg/pkg/lib-es5/bin.js');
}

const require = createRequire(import.meta.url);

if (import.meta.main) await eachTarget('Joins bundle and runtime into one executable per target.', packaged);

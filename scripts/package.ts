/**
 * Step 4, `package`: pkg (SEA mode, its public command line) joins the bundle and the closed runtime to one executable.
 * Owns `build/package/`, one folder a target, and one file in /tmp (it stays: another checkout may be reading it).
 *
 * - pkg has no option for a runtime of one's own, but takes it from its cache: so every target has a HOME of its own
 *   whose cache holds exactly that runtime, and nothing is fetched.
 * - The blob stores lengths as `size_t`: a 32-bit target's blob must come from a 32-bit Node, and each from exactly the
 *   same version. pkg makes the blob with the Node that runs pkg, if the cache slot is of a foreign architecture and the
 *   versions agree: so the slot is always `linux-arm64`, and pkg is run by a Node of the target's word size.
 * - The blob holds the bundle's absolute path. To get the same bytes in every checkout, the bundle is given as a file in
 *   /tmp that is named after its content.
 * - pkg has shipped broken files with exit code 0: any line that we do not expect is a failure.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { $ } from 'zx';
import { base } from './base.ts';
import { type Bundle, bundle } from './bundle.ts';
import { closeEnvironment } from './close-environment.ts';
import { eachTarget } from './command.ts';
import { builtPath } from './derived.ts';
import { Failure } from './problem.ts';
import { name, version } from './project.ts';
import { megabytes } from './say.ts';
import { once, runStep, sha256File } from './step.ts';
import { isReady, type ReadyTarget, readTargets } from './targets.ts';

export interface Packaged {
  readonly file: string;
  readonly sha256: string;
  readonly bundle: Bundle;
}

export function packaged(target: ReadyTarget): Promise<Packaged> {
  return once(`package ${target.triple}`, () => make(target));
}

/** The first line of pkg's output that is not one of those that a good run prints. */
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
  const program = await bundle();
  const runtime = await closeEnvironment(target);
  const generator = await generatorFor(target);
  const file = builtPath('package', target, name);
  const { hashes } = await runStep({
    step: 'package',
    target: target.triple,
    inputs: { bundle: program.sha256, runtime: runtime.sha256, generator: generator.sha256, pkg: pkgVersions() },
    code: [import.meta.filename],
    outputs: [file],
    make: async () => {
      const home = await seedHome(target, runtime.file);
      const input = await inTmp(program);
      await rm(file, { force: true });
      await runPkg(generator.file, home, input, file);
      await rm(home, { recursive: true });
      return { octets: (await readFile(file)).length };
    },
    summary: (facts) => megabytes(facts.octets),
  });
  return { file, sha256: hashes[0] ?? '', bundle: program };
}

async function runPkg(generator: string, home: string, input: string, output: string): Promise<void> {
  const { node } = readTargets();
  const { PATH = '' } = process.env;
  const run = await $({
    env: { PATH, HOME: home, NO_COLOR: '1' },
    cwd: path.dirname(output),
    nothrow: true,
    quiet: true,
  })`
    ${generator} ${pkgScript()} --sea ${input} -t ${`node${node}-${slot}`} -o ${output}`;
  if (run.exitCode !== 0) throw new Failure(`pkg ended with exit code ${run.exitCode}: ${run.stdall.trim()}`);
  const line = unexpectedLine(run.stdall);
  if (line !== undefined) throw new Failure(`pkg must print nothing unusual, it says: ${line}`);
}

/** A HOME whose pkg cache holds the runtime, marked as downloaded, checked and unpacked. */
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

/** `verify` compares the blob with the bundle, so a stranger's file under this name would not go unnoticed. */
async function inTmp(program: Bundle): Promise<string> {
  const file = `/tmp/${name}-${version}-${program.sha256.slice(0, 16)}.cjs`;
  const isThere = await sha256File(file).then(
    (hash) => hash === program.sha256,
    () => false,
  );
  if (!isThere) {
    const own = `${file}.${randomUUID()}`;
    await writeFile(own, await readFile(program.file), { flag: 'wx' });
    await rename(own, file);
  }
  return file;
}

async function generatorFor(target: ReadyTarget): Promise<{ file: string; sha256: string }> {
  const { node, targets } = readTargets();
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Failure(
      `packaging wants Linux on x86_64, because it runs blob generators for it; this is ${process.platform} on ${process.arch}`,
    );
  }
  if (target.elf.class === 64) {
    if (process.versions.node !== node) {
      throw new Failure(`packaging wants Node ${node} (npm run puts it on the PATH), this is ${process.versions.node}`);
    }
    return { file: process.execPath, sha256: process.versions.node };
  }
  const i686 = targets.find((row) => row.elf.machine === 'i386' && row.interpreter === null);
  if (i686 === undefined || !isReady(i686)) {
    throw new Failure('32-bit targets want the static i686 runtime in targets.json: it makes their blob');
  }
  return base(i686);
}

/** Of pkg, and of postject, with which it injects the blob. */
function pkgVersions(): string {
  const pkg = require('@yao-pkg/pkg/package.json') as { version: string };
  const postject = createRequire(pkgScript())('postject/package.json') as { version: string };
  return `${pkg.version}, postject ${postject.version}`;
}

function pkgScript(): string {
  return require.resolve('@yao-pkg/pkg/lib-es5/bin.js');
}

const require = createRequire(import.meta.url);

if (import.meta.main) await eachTarget('Joins bundle and runtime to one executable for each target.', packaged);

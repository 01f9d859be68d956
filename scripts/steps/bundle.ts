/**
 * `bundle`: the program's code, and the files that go along. Owns `build/bundle/`.
 *
 * A program whose description says `oneFile` becomes one CommonJS file, with the code of its workers, its version and the
 * commit inside; if it says `plain`, the file is small, and a second one holds everything. Any other keeps its modules as they are, and the code is our loader, which finds them.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type BuildOptions, build as esbuild } from 'esbuild';
import type { Parts } from '../contents/blob.ts';
import { contentsFor } from '../contents/contents.ts';
import type { System } from '../contents/native.ts';
import { textsInside } from '../formats/texts-inside.ts';
import { type OneFile, program } from '../program/program.ts';
import { readOrigin } from '../sources/origin.ts';
import { packagesIn } from '../support/bundled-packages.ts';
import { build, root } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { sha256 } from '../support/hash.ts';
import { once } from '../support/once.ts';
import { counted, megabytes } from '../support/progress.ts';
import { runStep } from '../support/step.ts';
import { eachTarget } from '../targets/select.ts';
import { builtPath } from '../targets/target-facts.ts';
import { readTargets, type Target } from '../targets/targets.ts';

export interface Bundle extends Parts {
  readonly sha256: string;
  /** npm packages whose code is inside, as folders below the project. */
  readonly packages: readonly string[];
  /** What native addons ask of the system; undefined without any. */
  readonly system?: System | undefined;
}

export function bundle(target: Target): Promise<Bundle> {
  const { oneFile } = program;
  return oneFile === undefined
    ? once(`bundle ${target.triple}`, () => collect(target))
    : once('bundle', () => make(oneFile));
}

/** Our loader, and the pack of the program's files. */
async function collect(target: Target): Promise<Bundle> {
  const { time } = await readOrigin();
  const text = await once('loader', bundleLoader);
  const { pack, packages, files: count, system } = await contentsFor(target, time);
  const [code, files] = ['loader.cjs', 'files'].map((name) => builtPath('bundle', target, name)) as [string, string];
  const { hashes } = await runStep({
    step: 'bundle',
    target: target.triple,
    inputs: { text: sha256(text), pack: sha256(pack) },
    module: import.meta.filename,
    outputs: [code, files],
    make: async () => {
      await writeFile(code, text);
      await writeFile(files, pack);
      return { files: count, packages: packages.length, bytes: pack.length };
    },
    summary: (facts) =>
      `${counted(facts.files, 'file')}, ${counted(facts.packages, 'package')}, ${megabytes(facts.bytes)}`,
  });
  return {
    code,
    assets: { files },
    sha256: sha256(hashes.join()),
    packages: packages.map(({ folder }) => folder),
    system,
  };
}

/** Known to itself by a name, so that it can start again in a worker thread. */
async function bundleLoader(): Promise<string> {
  const entry = path.join(import.meta.dirname, `../loader/main${path.extname(import.meta.filename)}`);
  const { outputFiles } = await esbuild({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    format: 'iife',
    minify: true,
    lineLimit: 200,
    logLevel: 'silent',
  });
  return `(function vrypt(require,start){${outputFiles[0]?.text ?? ''}})(require)\n`;
}

const file = path.join(build, 'bundle', `${program.name}.cjs`);
const wholeFile = path.join(build, 'bundle', `${program.name}.whole.cjs`);

async function make(oneFile: OneFile): Promise<Bundle> {
  const { commit: stamp } = await readOrigin();
  // esbuild takes 50 ms: always bundle, and let the result decide whether anything has changed.
  const { plain } = oneFile;
  const small = await bundleProgram(oneFile, stamp, plain === undefined ? {} : { [plain]: 'true' });
  const whole = plain === undefined ? undefined : await bundleProgram(oneFile, stamp, { [plain]: 'undefined' });
  const { hashes } = await runStep({
    step: 'bundle',
    inputs: { text: sha256(small.text), whole: sha256(whole?.text ?? '') },
    module: import.meta.filename,
    outputs: whole === undefined ? [file] : [file, wholeFile],
    make: async () => {
      await writeFile(file, small.text);
      if (whole !== undefined) await writeFile(wholeFile, whole.text);
      return { commit: stamp, bytes: small.text.length, whole: whole?.text.length ?? 0 };
    },
    summary: (facts) => {
      const sizes = [facts.bytes, facts.whole].filter((bytes) => bytes > 0).map((bytes) => (bytes / 1000).toFixed(0));
      return `${sizes.join(' and ')} kB, version ${program.version}, commit ${facts.commit}`;
    },
  });
  const packages = [...small.packages, ...(whole?.packages ?? [])];
  return {
    code: file,
    assets: whole === undefined ? {} : { whole: wholeFile },
    sha256: sha256(hashes.join()),
    packages: [...new Set(packages)].sort(),
  };
}

async function bundleProgram(
  oneFile: OneFile,
  stamp: string,
  constants: Readonly<Record<string, string>>,
): Promise<{ text: string; packages: string[] }> {
  const { texts, stamps } = oneFile;
  const inside = await Promise.all(
    Object.entries(texts).map(async ([name, entry]) => ({
      name,
      ...(await bundleOne(oneFile, { entryPoints: [entry], define: constants })),
    })),
  );
  const values = { version: program.version, commit: stamp, targets: runtimesInUse() };
  const main = await bundleOne(oneFile, {
    entryPoints: [program.entry],
    define: {
      ...constants,
      ...Object.fromEntries(inside.map(({ name }) => [name, `bundled.${name}`])),
      ...Object.fromEntries(
        Object.entries(values).flatMap(([what, value]) => {
          const constant = stamps[what as keyof typeof values];
          return constant === undefined ? [] : [[constant, JSON.stringify(value)]];
        }),
      ),
    },
    banner: { js: textsInside(Object.fromEntries(inside.map(({ name, text }) => [name, text]))) },
  });
  return { text: main.text, packages: [...inside, main].flatMap((part) => part.packages) };
}

/** What an executable says of the target and the runtime that it runs on, by Node's name of the architecture and the C library. */
function runtimesInUse(): Record<string, { triple: string; runtime: string }> {
  const rows = readTargets().targets.flatMap(({ triple, architecture, libc, runtime }) =>
    runtime === null ? [] : [[`${architecture.node.cpu}-${libc}`, { triple, runtime: runtime.sha256 }] as const],
  );
  return Object.fromEntries(rows);
}

async function bundleOne({ replaced }: OneFile, own: BuildOptions): Promise<{ text: string; packages: string[] }> {
  const options = {
    ...own,
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
    // Node prints the whole line at which a program fails.
    lineLimit: 200,
    legalComments: 'none',
    // A packaged executable has no files to load, so nothing may ask for its own path.
    define: { 'import.meta.url': 'undefined', ...own.define },
    alias: { ...replaced },
    // esbuild would write them as new RegExp(), keep those that nobody uses, and a runtime without ICU throws at them.
    supported: { 'regexp-unicode-property-escapes': true },
    write: false,
    metafile: true,
    logLevel: 'silent',
  } as const satisfies BuildOptions;
  const result = await esbuild(options).catch((error: unknown) => {
    throw new Failure(`bundle: ${error instanceof Error ? error.message : String(error)}`);
  });
  const [warning] = result.warnings;
  if (warning !== undefined) {
    const at = warning.location ? `${warning.location.file}:${warning.location.line}: ` : '';
    throw new Failure(`bundle: esbuild must not warn, got: ${at}${warning.text}`);
  }
  return { text: result.outputFiles[0]?.text ?? '', packages: packagesIn(result.metafile) };
}

if (import.meta.main) await eachTarget(`Collects what goes into the executable of each target.`, bundle);

/**
 * `bundle`: the whole program as one CommonJS file, with the worker's code, the version and the commit inside.
 * Owns `build/bundle/`.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type BuildOptions, build as esbuild } from 'esbuild';
import { textsInside } from '../formats/texts-inside.ts';
import { program } from '../program/vrypt-server.ts';
import { readOrigin } from '../sources/origin.ts';
import { packagesIn } from '../support/bundled-packages.ts';
import { build, root, version } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { sha256, sha256File } from '../support/hash.ts';
import { once } from '../support/once.ts';
import { runStep } from '../support/step.ts';
import { withTargets } from '../targets/select.ts';
import { readTargets } from '../targets/targets.ts';

export interface Bundle {
  readonly file: string;
  readonly sha256: string;
  /** npm packages whose code is inside, as folders below the checkout. */
  readonly packages: readonly string[];
}

export function bundle(): Promise<Bundle> {
  return once('bundle', make);
}

const file = path.join(build, 'bundle', `${program.name}.cjs`);

async function make(): Promise<Bundle> {
  const { commit: stamp } = await readOrigin();
  // esbuild takes 50 ms: always bundle, and let the result decide whether anything has changed.
  const { text, packages } = await bundleProgram(stamp);
  const { hashes } = await runStep({
    step: 'bundle',
    inputs: { text: sha256(text), lock: await sha256File(path.join(root, 'package-lock.json')) },
    module: import.meta.filename,
    outputs: [file],
    make: async () => {
      await writeFile(file, text);
      return { commit: stamp, bytes: text.length };
    },
    summary: (facts) => `${(facts.bytes / 1000).toFixed(0)} kB, version ${version}, commit ${facts.commit}`,
  });
  return { file, sha256: hashes[0] ?? '', packages };
}

async function bundleProgram(stamp: string): Promise<{ text: string; packages: string[] }> {
  const { entry, worker, stamps } = program;
  const inside = await bundleOne({ entryPoints: [worker.entry] });
  const main = await bundleOne({
    entryPoints: [entry],
    define: {
      [worker.constant]: 'bundled.worker',
      [stamps.version]: JSON.stringify(version),
      [stamps.commit]: JSON.stringify(stamp),
      [stamps.targets]: JSON.stringify(runtimesInUse()),
    },
    banner: { js: textsInside({ worker: inside.text }) },
  });
  return { text: main.text, packages: [...new Set([...inside.packages, ...main.packages])].sort() };
}

/** What an executable says of the target and the runtime that it runs on, by Node's name of the architecture and the C library. */
function runtimesInUse(): Record<string, { triple: string; runtime: string }> {
  const rows = readTargets().targets.flatMap(({ triple, architecture, libc, runtime }) =>
    runtime === null ? [] : [[`${architecture.node.cpu}-${libc}`, { triple, runtime: runtime.sha256 }] as const],
  );
  return Object.fromEntries(rows);
}

async function bundleOne(own: BuildOptions): Promise<{ text: string; packages: string[] }> {
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
    alias: { ...program.replaced },
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

if (import.meta.main) await withTargets(`Bundles ${program.entry} into one file.`, bundle);

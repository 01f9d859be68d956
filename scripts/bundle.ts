/**
 * Step 1, `bundle`: the whole program as one CommonJS file, with the worker's code, version and commit stamped in.
 * Owns `build/bundle/`.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type BuildOptions, build as esbuild, type Metafile } from 'esbuild';
import { command } from './command.ts';
import { Failure } from './problem.ts';
import { build, commit, name, root, version } from './project.ts';
import { once, runStep, sha256, sha256File } from './step.ts';
import { readTargets } from './targets.ts';

export interface Bundle {
  readonly file: string;
  readonly sha256: string;
  /** npm packages whose code is inside, as folders below the checkout. */
  readonly packages: readonly string[];
}

export const bundlePath: string = path.join(build, 'bundle', `${name}.cjs`);

export function bundle(): Promise<Bundle> {
  return once('bundle', make);
}

const entry = 'src/main.ts';
const workerEntry = 'src/workers/worker.ts';

async function make(): Promise<Bundle> {
  const stamp = commit();
  // esbuild takes 50 ms: so the step always bundles, and what is compared is the result.
  const { text, packages } = await bundleProgram(stamp);
  const { hashes } = await runStep({
    step: 'bundle',
    inputs: { text: sha256(text), lock: await sha256File(path.join(root, 'package-lock.json')) },
    code: [],
    outputs: [bundlePath],
    make: async () => {
      await writeFile(bundlePath, text);
      return { commit: stamp, octets: text.length };
    },
    summary: (facts) => `${(facts.octets / 1000).toFixed(0)} kB, version ${version}, commit ${facts.commit}`,
  });
  return { file: bundlePath, sha256: hashes[0] ?? '', packages };
}

async function bundleProgram(stamp: string): Promise<{ text: string; packages: string[] }> {
  const worker = await bundleOne(workerEntry, {});
  const main = await bundleOne(entry, {
    WORKER_SOURCE: JSON.stringify(worker.text),
    BUILD_VERSION: JSON.stringify(version),
    BUILD_COMMIT: JSON.stringify(stamp),
    BUILD_TARGETS: JSON.stringify(buildTargets()),
  });
  return { text: main.text, packages: [...new Set([...worker.packages, ...main.packages])].sort() };
}

/** What `--version --json` tells of the executable that it runs in: by Node's name of the architecture and the C library. */
function buildTargets(): Record<string, { triple: string; runtime: string }> {
  const architectures = { x86_64: 'x64', i386: 'ia32', aarch64: 'arm64', arm: 'arm' } as const;
  const rows = readTargets().targets.flatMap(({ triple, elf, libc, runtime }) =>
    runtime === null ? [] : [[`${architectures[elf.machine]}-${libc}`, { triple, runtime: runtime.sha256 }] as const],
  );
  return Object.fromEntries(rows);
}

async function bundleOne(file: string, define: Record<string, string>): Promise<{ text: string; packages: string[] }> {
  const options = {
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
    // Node prints the whole line at which a program fails.
    lineLimit: 200,
    legalComments: 'none',
    // A packaged executable has no files to load, so nothing may ask where it lies.
    define: { 'import.meta.url': 'undefined', ...define },
    // commander starts programs for subcommands, which we have none of; to load what starts them takes 3 ms.
    alias: { 'node:child_process': './src/cli/no-child-process.ts' },
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
    throw new Failure(`bundle: esbuild must not warn; it says: ${at}${warning.text}`);
  }
  return { text: result.outputFiles[0]?.text ?? '', packages: packagesIn(result.metafile) };
}

function packagesIn(metafile: Metafile): string[] {
  return Object.keys(metafile.inputs).flatMap((input) => {
    const match = /^(?:.*\/)?(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    return match?.[1] === undefined ? [] : [match[1]];
  });
}

if (import.meta.main) await command('Bundles src/ into one file.', bundle);

/**
 * The source files that decide what a step makes, read from its imports, so that no list has to be kept by hand.
 * The walk starts at the step's module and follows every import that exists at run time. Other steps are left out, because
 * their results are inputs of this one. For the steps of runtimes so is `support/`, which runs steps and reports on them:
 * compiling takes hours, and its result is compared with a pinned hash.
 */
import { readdirSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import type { Metafile } from 'esbuild';
import { toolchain } from './checkout.ts';
import { once } from './once.ts';

const stepsFolder = 'scripts/steps/';
const supportFolder = 'scripts/support/';

/** Absolute paths, sorted; the module itself is one of them. */
export function codeOf(module: string): Promise<readonly string[]> {
  return once(`imports of ${module}`, async () => {
    const graph = isStep(module)
      ? await once('imports of all steps', () => graphOf(...allSteps()))
      : await graphOf(module);
    const entry = path.relative(toolchain, module);
    const found = new Set([entry]);
    for (const file of found) {
      for (const { path: imported, external } of graph[file]?.imports ?? []) {
        if (!external && !isLeftOut(imported, entry)) found.add(imported);
      }
    }
    return [...found].sort().map((file) => path.join(toolchain, file));
  });
}

/** A release asks for nearly all of them: one walk costs little more than that of one step. */
function allSteps(): string[] {
  const folder = path.join(toolchain, stepsFolder);
  const modules = readdirSync(folder).filter((name) => /\.[jt]s$/.test(name));
  return modules.map((name) => path.join(folder, name));
}

function isStep(module: string): boolean {
  return path.relative(toolchain, module).startsWith(stepsFolder);
}

function isLeftOut(imported: string, entry: string): boolean {
  return imported.startsWith(stepsFolder) || (imported.startsWith(supportFolder) && !entry.startsWith(stepsFolder));
}

/** Everything that these modules lead to, relative to the toolchain: its own files, and npm packages by name; sorted. */
export async function everythingFrom(modules: readonly string[]): Promise<{ files: string[]; packages: string[] }> {
  const graph = await graphOf(...modules);
  const external = Object.values(graph).flatMap(({ imports }) => imports.filter((each) => each.external === true));
  const packages = external.flatMap(({ path: name }) =>
    isBuiltin(name) ? [] : (/^(?:@[^/]+\/)?[^/]+/.exec(name) ?? []),
  );
  return { files: Object.keys(graph).sort(), packages: [...new Set(packages)].sort() };
}

async function graphOf(...modules: string[]): Promise<Metafile['inputs']> {
  // Only when a step is about to run: loading it takes 50 ms.
  const { build } = await import('esbuild');
  const result = await build({
    absWorkingDir: toolchain,
    entryPoints: modules,
    bundle: true,
    write: false,
    outdir: 'nowhere',
    metafile: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  return result.metafile.inputs;
}

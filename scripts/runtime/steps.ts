/**
 * What it takes to make one runtime, in order. Where it takes V8's objects from a sibling, that one is made first.
 */

import { COMPILE_INPUTS, compileNode } from './compile.ts';
import { buildCompilerRuntimes, compilerFlags, OPTIMISE, writeCompilers } from './compiler.ts';
import { configureInputs, configureNode } from './configure.ts';
import { checkGenerated, shareCore } from './core.ts';
import { finishRuntime } from './finish.ts';
import type { Step } from './job.ts';
import { buildLibraries, LIBRARY_INPUTS } from './libraries.ts';
import { copyNodeTree, NODE_TREE_INPUTS } from './node-tree.ts';
import type { Platform } from './platforms.ts';
import { fetchSource, sourcesFor } from './sources.ts';
import { makeSysroot } from './sysroot.ts';

export function stepsOf(platform: Platform): Step[] {
  const sources = sourcesFor(platform);
  return [
    {
      name: 'sources',
      inputs: sources.map((source) => source.sha256),
      make: async () => {
        for (const source of sources) await fetchSource(source);
      },
    },
    { name: 'sysroot', inputs: [], make: () => makeSysroot(platform) },
    {
      name: 'compiler',
      inputs: [...compilerFlags(platform), ...OPTIMISE],
      make: async (job) => {
        await writeCompilers(platform);
        await buildCompilerRuntimes(job);
      },
    },
    { name: 'libraries', inputs: LIBRARY_INPUTS, make: buildLibraries },
    { name: 'node-tree', inputs: NODE_TREE_INPUTS, make: copyNodeTree },
    { name: 'configure', inputs: configureInputs(platform), make: configureNode },
    ...(platform.core === null ? [] : [{ name: 'core', inputs: [], make: shareCore }]),
    {
      name: 'compile',
      inputs: COMPILE_INPUTS,
      make: async (job) => {
        await compileNode(job);
        await checkGenerated(job);
      },
    },
    { name: 'finish', inputs: [], make: finishRuntime },
  ];
}

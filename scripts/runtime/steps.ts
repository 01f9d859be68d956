/** What it takes to make one runtime, in order. If it takes V8's objects from another one, that one is made first. */
import path from 'node:path';
import { fetchSource, sourcesFor } from '../sources/sources.ts';
import type { Target } from '../targets/targets.ts';
import { compileInputs, compileNode } from './compile.ts';
import { buildCompilerRuntimes, compilerFlags, optimise, writeCompilers } from './compiler.ts';
import { configureInputs, configureNode } from './configure.ts';
import type { Step } from './job.ts';
import { librarySteps } from './libraries.ts';
import { copyNodeTree, nodeTreeInputs } from './node-tree.ts';
import { recipe } from './paths.ts';
import { v8SourceOf } from './platforms.ts';
import { publishRuntime } from './publish-runtime.ts';
import { checkGenerated, shareV8Objects } from './share-v8-objects.ts';
import { makeSysroot } from './sysroot.ts';

export function stepsOf(target: Target): readonly Step[] {
  const sources = sourcesFor(target);
  const sharesV8 = v8SourceOf(target) !== undefined;
  return [
    {
      name: 'sources',
      module: path.join(recipe, '../sources/sources.ts'),
      inputs: sources.map((source) => source.sha256),
      make: async () => {
        for (const source of sources) await fetchSource(source);
      },
    },
    { name: 'sysroot', module: moduleOf('sysroot'), inputs: [], make: () => makeSysroot(target) },
    {
      name: 'compiler',
      module: moduleOf('compiler'),
      inputs: [...compilerFlags(target), ...optimise],
      make: async (job) => {
        await writeCompilers(target);
        await buildCompilerRuntimes(job);
      },
    },
    ...librarySteps(target),
    { name: 'node-tree', module: moduleOf('node-tree'), inputs: nodeTreeInputs(), make: copyNodeTree },
    { name: 'configure', module: moduleOf('configure'), inputs: configureInputs(target), make: configureNode },
    ...(sharesV8
      ? [{ name: 'share-v8-objects', module: moduleOf('share-v8-objects'), inputs: [], make: shareV8Objects }]
      : []),
    {
      name: 'compile',
      module: moduleOf('compile'),
      inputs: compileInputs(),
      make: async (job) => {
        await compileNode(job);
        await checkGenerated(job);
      },
    },
    { name: 'publish', module: moduleOf('publish-runtime'), inputs: [], make: publishRuntime },
  ];
}

function moduleOf(name: string): string {
  return path.join(recipe, `${name}.ts`);
}

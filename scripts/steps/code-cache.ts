/**
 * `code-cache`: what V8 makes of the program's code before it runs, so that a start need not parse it: for our own server 7 of 128 ms
 * of CPU time and 1.1 MiB. The target's own Node makes it, through QEMU if need be: it depends on V8's build, not on the CPU, and with a
 * fixed seed its bytes are always the same. Owns `build/code-cache/`.
 */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readCodeCache } from '../formats/sea-blob.ts';
import { program } from '../program/program.ts';
import { makeSandbox } from '../sandbox/sandbox.ts';
import { sha256File } from '../support/hash.ts';
import { once } from '../support/once.ts';
import { runWell } from '../support/run.ts';
import { runStep } from '../support/step.ts';
import { withTemporaryFolder } from '../support/temporary-folder.ts';
import { eachTarget } from '../targets/select.ts';
import { builtPath } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { bundle } from './bundle.ts';
import { nodeBinary } from './node-binary.ts';

export interface CodeCache {
  readonly file: string;
  readonly sha256: string;
}

/** undefined for a program that gives options to V8, which would refuse the cache for them. */
export function codeCache(target: ReadyTarget): Promise<CodeCache | undefined> {
  return once(`code-cache ${target.triple}`, async () => ((await givesOptionsToV8()) ? undefined : make(target)));
}

async function make(target: ReadyTarget): Promise<CodeCache> {
  const { code } = await bundle(target);
  const node = await nodeBinary(target);
  const file = builtPath('code-cache', target, program.name);
  const { hashes } = await runStep({
    step: 'code-cache',
    target: target.triple,
    inputs: { code: await sha256File(code), node: node.sha256, name: program.name },
    module: import.meta.filename,
    outputs: [file],
    make: async () => {
      const bytes = await withTemporaryFolder((folder) => generate(target, folder, code, node.file));
      await writeFile(file, bytes);
      return { bytes: bytes.length };
    },
    summary: ({ bytes }) => `${(bytes / 1000).toFixed(0)} kB`,
  });
  return { file, sha256: hashes[0] ?? '' };
}

/** By Node's own generator of blobs. The name stands in the cache, so it is the same everywhere. */
async function generate(target: ReadyTarget, folder: string, code: string, node: string): Promise<Buffer> {
  await copyFile(code, path.join(folder, program.name));
  await copyFile(node, path.join(folder, 'node'));
  const config = { main: program.name, output: 'blob', useCodeCache: true, disableExperimentalSEAWarning: true };
  await writeFile(path.join(folder, 'config.json'), JSON.stringify(config));
  const sandbox = await makeSandbox(target, folder);
  const command = sandbox.command('node', ['--random-seed=42', '--experimental-sea-config', 'config.json']);
  await runWell(command, { cwd: folder, env: { PATH: process.env['PATH'] } });
  return readCodeCache(await readFile(path.join(folder, 'blob')), target.architecture.elf.class);
}

/** Whether one of Node's options that the program starts with is V8's. The same for every target, so asked once. */
function givesOptionsToV8(): Promise<boolean> {
  return once('options of V8', async () => {
    if (program.execArgv.length === 0) return false;
    const { stdout } = await runWell([process.execPath, '--v8-options']);
    const names = new Set(Array.from(stdout.matchAll(/^ +--([\w-]+)/gm), ([, name = '']) => name));
    return program.execArgv.some((option) => {
      const name = (/^--([^=]*)/.exec(option)?.[1] ?? '').replaceAll('_', '-');
      return names.has(name) || names.has(name.replace(/^no-?/, ''));
    });
  });
}

if (import.meta.main) await eachTarget('Makes the code cache of each target.', codeCache);

/**
 * The code that a packaged program starts with, in its first thread and in every further one: makes the packed files available,
 * then runs one of them as Node would run it. Built as the body of `function vrypt(require, start)`.
 */
import Module from 'node:module';
import sea from 'node:sea';
import { openAddonsFrom } from './addons.ts';
import { closeCompileCache } from './compile-cache.ts';
import { addToFileSystem } from './file-system.ts';
import { Files } from './files.ts';
import { loadModulesFrom } from './modules.ts';
import { startThreadsFrom } from './threads.ts';
import { changeFolderOf } from './working-folder.ts';

/** The path to run; undefined in the first thread of a process. */
declare const start: string | undefined;
/** This code itself. */
declare const vrypt: () => void;

const files = new Files(
  Buffer.from((sea as unknown as { getRawAsset(name: string): ArrayBuffer }).getRawAsset('files')),
);
addToFileSystem(files);
if (start === undefined) changeFolderOf(files);
openAddonsFrom(files);
closeCompileCache();
let areThreadsOurs = false;
loadModulesFrom(files, (name) => {
  if (name !== 'worker_threads' || areThreadsOurs) return;
  areThreadsOurs = true;
  startThreadsFrom(files, require('node:worker_threads'), (path) => `(${vrypt})(require, ${JSON.stringify(path)})`);
});
if (files.index.hasSourceMaps) process.setSourceMapsEnabled(true);
run(start ?? forked() ?? files.index.main);

/**
 * `child_process.fork(file)` and `cluster.fork()` start this executable with Node's options and a file before the arguments.
 */
function forked(): string | undefined {
  const at = process.argv.findIndex((argument, index) => index >= 2 && !process.execArgv.includes(argument));
  const path = at < 0 ? undefined : files.inside(process.argv[at]);
  if (path === undefined || files.file(path) === undefined) return undefined;
  process.argv.splice(1, at - 1);
  return path;
}

/** As `node <path>`: `require.main`, `import.meta.main` and `process.argv` say so. */
function run(path: string): void {
  process.argv[1] = path;
  if (start !== undefined) {
    // What Node gives to code that a thread evaluates.
    for (const name of ['require', 'module', 'exports', '__filename', '__dirname'])
      Reflect.deleteProperty(globalThis, name);
  }
  (Module as unknown as { _load(path: string, parent: null, isMain: boolean): unknown })._load(path, null, true);
}

/**
 * The executable holds two programs: its code is the plain server, which starts with all of it, and an asset is the whole program, with
 * the commands that few processes run. One of the two runs in a process. Made by `scripts/steps/bundle.ts`.
 */
import { isInWholeProgram } from './commands.ts';
import { isPlainWorker, isWorkerProcess } from './worker-process.ts';

/** Runs it if the arguments ask for what is nowhere else; returns whether they do. */
export function runWholeProgram(argv: readonly string[]): boolean {
  if (isWorkerProcess(argv) ? isPlainWorker(argv) : !isInWholeProgram(argv[2])) return false;
  // Not by import: the plain server does not need the module. ASCII, as esbuild writes it.
  const text = Buffer.from(process.getBuiltinModule('node:sea').getRawAsset('whole')).toString('latin1');
  // Not by node:vm: there, import() of programs needs what Node warns of as experimental. Stack traces name this as they name all else.
  new Function('require', `${text}\n//# sourceURL=vrypt-server`)(require);
  return true;
}

/** A runtime in a sandbox of its own, with the script that tries it. */
import { chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { $, type ProcessOutput } from 'zx';
import { makeSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import type { Target } from '../../targets/targets.ts';
import { work } from '../paths.ts';

export interface Root extends Sandbox {
  /** The path of one of its files, as a program inside sees it. */
  pathOf(file: string): string;
  /** Runs an executable in it; never throws for its exit code. */
  run(program: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<ProcessOutput>;
}

export async function makeRoot(target: Target, executable: string): Promise<Root> {
  const folder = path.join(work, 'roots', target.triple);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await copyFile(executable, path.join(folder, 'node'));
  await chmod(path.join(folder, 'node'), 0o755);
  await copyFile(path.join(import.meta.dirname, 'behaviour.cjs'), path.join(folder, 'behaviour.cjs'));
  const sandbox = await makeSandbox(target, folder);
  return {
    ...sandbox,
    pathOf: (file) => path.posix.join(sandbox.inside, file),
    run: (program, args, env = {}) =>
      $({
        env: { PATH: process.env['PATH'], ...env },
        nothrow: true,
        quiet: true,
        timeout: '600s',
      })`${sandbox.command(program, args)}`,
  };
}

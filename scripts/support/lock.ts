/**
 * One toolchain process at a time per checkout: a release, a runtime build and a test run would write the same files.
 * Owns `build/lock`. The lock is the kernel's (flock(2)): it ends with its holder, however that dies, and holds between
 * containers, where process ids say nothing. Node cannot call flock itself, but a descriptor that flock(1) has locked stays
 * locked after it, for as long as this process has it open; programs that this one starts do not inherit it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { cache, isOwnProject, shown } from './checkout.ts';
import { Failure } from './errors.ts';
import { say } from './progress.ts';
import { dyingWithParent } from './run.ts';

/** Waits for the lock and holds it until this process ends. */
export async function lockBuild(): Promise<void> {
  // Not recursive: that reports a read-only disk as a missing cache.
  if (!existsSync(cache)) mkdirSync(cache, { recursive: !isOwnProject });
  const file = path.join(cache, 'lock');
  const lock = openSync(file, 'a+');
  if (!(await flock(lock, '--nonblock'))) {
    say(`waiting for ${readFileSync(file, 'utf8').trim() || 'another process'}, which works in ${shown(cache)}/`);
    await flock(lock);
  }
  ftruncateSync(lock);
  writeSync(lock, `process ${process.pid}\n`);
}

async function flock(lock: number, ...options: readonly string[]): Promise<boolean> {
  const [file, ...args] = dyingWithParent(['flock', ...options, '3']);
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe', lock] });
  const [code] = (await once(child, 'close').catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`setpriv and flock (package util-linux) must be installed, got ${error.code}`);
  })) as [number | null];
  if (code === 0) return true;
  // 1: somebody else has it.
  if (code === 1 && options.length > 0) return false;
  throw new Failure(`flock must lock ${shown(cache)}/lock, got exit code ${code}`);
}

/**
 * One toolchain process at a time in a checkout: a release and a test run beside each other would write the same files.
 * Owns `build/lock`, which holds the process id of its holder.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { build, shown } from './project.ts';
import { say } from './say.ts';

/** Waits for the lock; it is released when this process ends, however it ends. */
export async function lockBuild(): Promise<void> {
  mkdirSync(build, { recursive: true });
  for (let hasSaid = false; !tryLock(); hasSaid = true) {
    if (!hasSaid) say(`waiting for process ${holder()}, which works in ${shown(build)}/`);
    await pause(200);
  }
  process.on('exit', () => rmSync(file, { force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
}

const file = path.join(build, 'lock');

function tryLock(): boolean {
  // A link appears with its content or not at all, so nobody ever reads a lock without a process id.
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, file);
    return true;
  } catch {
    if (!isAlive(holder())) rmSync(file, { force: true });
    return false;
  } finally {
    rmSync(own);
  }
}

function holder(): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

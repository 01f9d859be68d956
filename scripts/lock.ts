/**
 * One toolchain process at a time in a checkout: a release and a test run beside each other would write the same files.
 * Owns `build/lock`, which holds its holder's process id and start time (ids are used again, above all in containers).
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { build, shown } from './project.ts';
import { say } from './say.ts';

/** Waits for the lock; it is released when this process ends, however it ends. */
export async function lockBuild(): Promise<void> {
  mkdirSync(build, { recursive: true });
  for (let hasSaid = false; !tryLock(); ) {
    const pid = holder()?.split(' ')[0];
    if (!hasSaid && pid !== undefined) {
      say(`waiting for process ${pid}, which works in ${shown(build)}/`);
      hasSaid = true;
    }
    await pause(200);
  }
  process.on('exit', () => rmSync(file, { force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
}

const file = path.join(build, 'lock');

function tryLock(): boolean {
  // A link appears with its content or not at all, so nobody ever reads a lock without a process id.
  const own = `${file}.${process.pid}`;
  writeFileSync(own, identity(process.pid) ?? '');
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    // Anything else (a disk without hard links) would make us wait for ever.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // Read once: who lets go between two reads, and is followed by another, must not look like a dead holder.
    const held = holder();
    if (held !== undefined && identity(Number.parseInt(held, 10)) !== held) rmSync(file, { force: true });
    return false;
  } finally {
    rmSync(own);
  }
}

/** undefined when nobody holds it. */
function holder(): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Process id and start time, field 22 of /proc/<pid>/stat (proc(5)); undefined when there is no such process. */
function identity(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in parentheses and may hold spaces; the third follows it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${pid} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

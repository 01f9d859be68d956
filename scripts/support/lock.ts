/**
 * One toolchain process at a time per checkout: a release, a runtime build and a test run would write the same files.
 * Owns `build/lock`, which holds the process id and start time of its holder (ids are reused, above all in containers).
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { build, shown } from './checkout.ts';
import { say } from './progress.ts';

/** Waits for the lock and holds it until this process ends, however it ends. */
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
  // A link appears together with its content, so that no reader ever sees a lock without a process id.
  const own = `${file}.${process.pid}`;
  writeFileSync(own, identity(process.pid) ?? '');
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    // Any other error (a disk without hard links) would make us wait forever.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // Read once: a release and a re-acquire between two reads must not look like a dead holder.
    const held = holder();
    if (held !== undefined && identity(Number.parseInt(held, 10)) !== held) rmSync(file, { force: true });
    return false;
  } finally {
    rmSync(own);
  }
}

/** undefined when nobody holds the lock. */
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
    // The second field is the name in parentheses and may contain spaces; the third follows it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${pid} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

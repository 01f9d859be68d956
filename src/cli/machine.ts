/** Gathers what `capacity.ts` decides by, and names the limit when the system has refused a thread. */
import { availableParallelism } from 'node:os';
import type { Machine } from './capacity.ts';
import { cgroupLimits, cgroupThreads } from './cgroup.ts';
import { readFile } from './kernel-files.ts';
import { limitsWithoutProc, readProcessLimits, userThreads } from './process-limits.ts';

const UNLIMITED = { cpus: Number.POSITIVE_INFINITY, memory: Number.POSITIVE_INFINITY };

/** The control groups are read only if the number of workers depends on them: that costs 0.3 MiB. */
export function readMachine(workers: number | 'auto'): Machine {
  try {
    const cores = availableParallelism();
    const cgroup = workers === 'auto' && cores > 1 ? cgroupLimits(readFile) : UNLIMITED;
    return { ...readProcessLimits(), cores, cgroup };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
    // Every descriptor that the limit allows is taken.
    const limits = limitsWithoutProc();
    return { ...limits, openNow: limits.openFiles, cores: 1, cgroup: UNLIMITED };
  }
}

/** What keeps the system from giving us more threads, by the code of its error. */
export function threadLimit(code: string): string {
  if (code !== 'EAGAIN') return `the system's resources (${code})`;
  // Two limits give this error: the lower one it must have been.
  const [ofUser, ofGroup] = [userThreads(), cgroupThreads(readFile)];
  return ofGroup < ofUser
    ? `the cgroup's limit on threads (pids.max ${ofGroup})`
    : `the limit on threads of this user (ulimit -u ${ofUser})`;
}

/** Priority of what is measured, so that other work on the machine disturbs less. Below 0 it takes root; else nothing happens. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Of a process and of all that it will start. Where the kernel shares time between sessions first (sched_autogroup), the
 * priority of a process counts within its session only: so the session gets it too.
 */
export function prioritise(pid: number, nice: number): void {
  try {
    setPriority(pid, nice);
    writeFileSync(`/proc/${pid}/autogroup`, String(nice));
  } catch {
    // Not root, or a kernel without autogroups.
  }
}

/** What the machine did meanwhile, in words, to be kept with the results. */
export function loadAverage(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ');
}

/** Priority of what is measured, so that other work on the machine disturbs it less. Below 0 it requires root; otherwise nothing happens. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Of a process and everything that it will start. If the kernel divides time between sessions first (sched_autogroup), the
 * priority of a process matters only within its session, so the session gets it too.
 */
export function prioritise(pid: number, nice: number): void {
  try {
    setPriority(pid, nice);
    writeFileSync(`/proc/${pid}/autogroup`, String(nice));
  } catch {
    // Not root, or a kernel without autogroups.
  }
}

/** The machine's load, recorded with the results. */
export function loadAverage(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ');
}

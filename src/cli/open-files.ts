/** How many connections the kernel lets one process hold. Beyond its limit on open files accepting fails over and over. */
import { readFileSync } from 'node:fs';

/** Open files that are not connections: listeners, event loops, libraries' own, and some to spare. */
const RESERVED = 64;
const RESERVED_PER_WORKER = 16;

/** The most connections that fit, or Infinity where nothing is known. Node has raised the soft limit to the hard one. */
export function connectionsThatFit(workers: number): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const limit = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(1, Number(limit) - RESERVED - RESERVED_PER_WORKER * workers);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

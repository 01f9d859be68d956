/** What a process and all that it has started take, as /proc says (proc_pid_stat(5)). */
import { readFileSync } from 'node:fs';

export interface ProcessUse {
  /** Bytes that are resident; shared ones count in each process. */
  readonly memory: number;
  /** User and system time, of children that have ended too. */
  readonly cpuSeconds: number;
  readonly processes: number;
}

/** Of USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS = 100;
/** A program that forks without end must not be counted without end. */
const MOST = 1000;

/** All 0 for a process that is not there. */
export function processUse(pid: number): ProcessUse {
  const use = { memory: 0, cpuSeconds: 0, processes: 0 };
  const pids = [pid];
  for (let at = 0; at < pids.length && at < MOST; at++) {
    const one = pids[at] as number;
    const stat = read(`/proc/${one}/stat`);
    if (stat === '') continue;
    // The name in parentheses may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // utime, stime, cutime, cstime
    for (const field of [11, 12, 13, 14]) use.cpuSeconds += Number(fields[field]) / TICKS;
    use.memory += Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${one}/status`))?.[1] ?? 0) * 1024;
    use.processes++;
    for (const child of read(`/proc/${one}/task/${one}/children`).split(' '))
      if (child !== '') pids.push(Number(child));
  }
  return use;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

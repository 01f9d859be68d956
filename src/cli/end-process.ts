/**
 * How the process ends. `process.exit` joins every thread, V8's too, and waits for libuv's pool: a thread that spins in native code
 * or is stopped, or a name server that does not answer, holds it up for ever. Our runtimes have `_exit`. On any other the process then
 * replaces its image by a fresh one that does nothing but exit: the kernel ends all other threads for that, whatever they do, and it
 * works as PID 1. It takes 20 ms.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { native } from '../engine/native-binding.ts';
import { isPackaged, ownExecutable } from '../processes/self.ts';
import { livingThreads } from '../workers/living-threads.ts';

/** First argument of the fresh image when it is our own executable; the exit code follows. */
const END_COMMAND = '--end-process';

/** Work of libuv's pool, as `process.getActiveResourcesInfo()` names it. Files are not read from what could block for long. */
const POOL_WORK = new Set(['GetAddrInfoReqWrap', 'GetNameInfoReqWrap']);

/** The exit code that this process was started to end with, or null if it was started to work. */
export function requestedEnd(argv: readonly string[]): number | null {
  return argv[2] === END_COMMAND && argv.length === 4 ? Number(argv[3]) : null;
}

let mustNotWait = false;

/** The end is overdue, or was asked for twice: `endProcess` waits for nothing. */
export function stopWaiting(): void {
  mustNotWait = true;
}

/**
 * The process ends after this time, even if no JavaScript runs any more: where a thread of V8 is stopped, the main thread may wait for
 * it in the middle of a garbage collection. Only our runtimes can do it.
 */
export function endWithin(ms: number, code: number): void {
  native?.exitAfter(ms, code);
}

/** Ends the process, whatever its threads and libuv's pool do. */
export function endProcess(code: number): never {
  native?.exit(code);
  const isHeldUp =
    mustNotWait ||
    livingThreads() > 0 ||
    process.getActiveResourcesInfo().some((name) => POOL_WORK.has(name)) ||
    hasStuckThread();
  if (isHeldUp) replaceProcess(code);
  process.exit(code);
}

/** Whether a thread is stopped (T), traced (t) or in an uninterruptible call (D), as proc_pid_stat(5) names it. */
export function hasStuckThread(tasks = '/proc/self/task'): boolean {
  try {
    return readdirSync(tasks).some((task) => 'TtD'.includes(stateOf(`${tasks}/${task}/stat`)));
  } catch {
    return false;
  }
}

/** The letter after the name, which may hold spaces and parentheses itself. */
function stateOf(file: string): string {
  try {
    const stat = readFileSync(file, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] ?? ' ';
  } catch {
    // The thread has ended meanwhile.
    return ' ';
  }
}

/** Returns only if this Node (before 22.15) cannot do it, and nothing else can as PID 1. */
function replaceProcess(code: number): void {
  const file = ownExecutable();
  if (file !== null && typeof process.execve === 'function') {
    const args = isPackaged() ? [END_COMMAND, String(code)] : ['-e', `process.exit(${code})`];
    process.execve(file, [process.argv0, ...args], {});
  }
  // The kernel does not let PID 1 kill itself.
  if (process.pid !== 1) process.kill(process.pid, 'SIGKILL');
}

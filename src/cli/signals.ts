/**
 * The signals that ask for the end. `main.ts` watches them before it loads anything: a process that is PID 1 loses every signal
 * that it has no handler for. Owns the handlers.
 */
import { readFileSync } from 'node:fs';

export interface StopSignals {
  /** Resolves with the first signal that asks for the end, even if that came before anybody asked. */
  readonly first: Promise<NodeJS.Signals>;
  /** Resolves with the second one: stop at once. */
  readonly second: Promise<NodeJS.Signals>;
}

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const;

let watched: StopSignals | null = null;

/** The same for every caller. */
export function watchSignals(): StopSignals {
  watched ??= startWatching();
  return watched;
}

function startWatching(): StopSignals {
  const first = Promise.withResolvers<NodeJS.Signals>();
  const second = Promise.withResolvers<NodeJS.Signals>();
  let count = 0;
  const onSignal = (signal: NodeJS.Signals) => (count++ === 0 ? first : second).resolve(signal);
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  if (isHangupIgnored(process.env['_'], readStatus(process.ppid))) process.off('SIGHUP', onSignal).on('SIGHUP', ignore);
  // Node opens a debugger at SIGUSR1 unless it is handled.
  process.on('SIGUSR1', ignore);
  return { first: first.promise, second: second.promise };
}

/**
 * Whether the process was started with SIGHUP ignored, as `nohup` does. Node has reset it before any JavaScript runs, so this
 * infers it: shells put the program that they start into `_`, and a parent that ignores SIGHUP hands that on.
 * Other signals cannot be inferred: bash ignores SIGQUIT, and interactively SIGTERM, but resets them in its children.
 */
export function isHangupIgnored(startedByShell: string | undefined, parentStatus: string | null): boolean {
  if (startedByShell !== undefined && /(^|\/)nohup$/.test(startedByShell)) return true;
  const ignored = /^SigIgn:\s*[0-9a-f]*([0-9a-f])$/m.exec(parentStatus ?? '')?.[1] ?? '0';
  // The lowest bit is signal 1.
  return (Number.parseInt(ignored, 16) & 1) === 1;
}

function readStatus(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return null;
  }
}

function ignore(): void {}

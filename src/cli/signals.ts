/**
 * The signals that ask for the end. `main.ts` watches them before it loads anything: a process that is PID 1 loses every signal
 * that it has no handler for, except on our runtimes, which hold them until they are watched. Owns the handlers.
 */
import { constants } from 'node:os';
import { native } from '../engine/native-binding.ts';
import { readFile } from './kernel-files.ts';

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
  if (wasHangupIgnored()) process.off('SIGHUP', onSignal).on('SIGHUP', ignore);
  // Node opens a debugger at SIGUSR1 unless it is handled.
  process.on('SIGUSR1', ignore);
  return { first: first.promise, second: second.promise };
}

/** SIGHUP asks for something else than the end from now on, also where `nohup` has started us. */
export function takeHangups(listener: () => void): void {
  process.removeAllListeners('SIGHUP');
  process.on('SIGHUP', listener);
}

/** As `nohup` has it: the parent's choice stays. Other signals are ours: shells ignore SIGINT for every job in the background. */
function wasHangupIgnored(): boolean {
  if (native !== null) return native.inheritedSignals().ignored.includes(constants.signals.SIGHUP);
  return isHangupIgnored(process.env['_'], statusOf(process.ppid));
}

/**
 * Whether the process was started with SIGHUP ignored. Node has reset it before any JavaScript runs, so without our binding this
 * infers it: shells put the program that they start into `_`, and a parent that ignores SIGHUP hands that on.
 * Other signals cannot be inferred: bash ignores SIGQUIT, and interactively SIGTERM, but resets them in its children.
 */
export function isHangupIgnored(startedByShell: string | undefined, parentStatus: string | null): boolean {
  if (startedByShell === 'nohup' || startedByShell?.endsWith('/nohup')) return true;
  if (parentStatus === null) return false;
  // Such as "SigIgn:\t0000000000004001": the lowest bit is signal 1.
  const lastDigit = parentStatus[parentStatus.indexOf('\n', parentStatus.indexOf('SigIgn:')) - 1] ?? '0';
  return '13579bdf'.includes(lastDigit);
}

function statusOf(pid: number): string | null {
  try {
    return readFile(`/proc/${pid}/status`);
  } catch {
    return null;
  }
}

function ignore(): void {}

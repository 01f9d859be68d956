/** A worker process' channel to the manager that has started it, and what makes it die with that. */
import { native } from '../engine/native-binding.ts';
import type { LifeSign } from './mended.ts';

export interface Parent<ToChild, FromChild> {
  tell(message: LifeSign | FromChild): void;
  onMessage(listener: (message: ToChild) => void): void;
}

/** Signals of a terminal or of a service manager reach the whole group: the manager says what they mean. */
const MANAGERS_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const;

const SIGKILL = 9;

/** null if no manager has started this process. Call it once. */
export function openParent<ToChild, FromChild>(): Parent<ToChild, FromChild> | null {
  if (process.send === undefined) return null;
  for (const signal of MANAGERS_SIGNALS) process.on(signal, ignore);
  // The kernel closes the channel when the manager ends, however it ends. A worker that runs no JavaScript any more needs a signal.
  native?.parentDeathSignal(SIGKILL);
  process.on('disconnect', () => process.exit());
  return {
    tell: (message) => {
      if (process.connected) process.send?.(message, undefined, undefined, ignore);
    },
    onMessage: (listener) => void process.on('message', listener as (message: unknown) => void),
  };
}

function ignore(): void {}

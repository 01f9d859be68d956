/** A child process with a channel to it: messages are structured clones. It dies with this process (`parent.ts`). */
import type { Running, RunningEvents } from './mended.ts';
import type { Command } from './self.ts';

export interface ChildOptions {
  readonly command: Command;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Descriptors of ours that the child gets, from 4 on. */
  readonly descriptors?: readonly number[];
}

/** The first of the descriptors that a child is given; 3 is the channel. */
export const FIRST_DESCRIPTOR = 4;

/** Its standard output and error are ours. */
export function startChild({ command, env, descriptors = [] }: ChildOptions, events: RunningEvents): Running {
  // Not by import: the bundle replaces the module, which takes 3 ms to load, for what never starts a process.
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(command.file, [...command.args], {
    argv0: process.argv0,
    env: env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...descriptors],
    serialization: 'advanced',
  });
  child.on('message', (message) => events.onMessage(message));
  child.on('exit', (code, signal) => {
    events.onExit(signal === null ? `the process ended with exit code ${code}` : `the process was ended by ${signal}`);
  });
  child.on('error', (error) => {
    if (child.pid !== undefined) return;
    events.onMessage({ type: 'failed', code: (error as NodeJS.ErrnoException).code, message: error.message });
    events.onExit(null);
  });
  return {
    tell: (message) => {
      if (child.connected) child.send(message as object, ignore);
    },
    kill: () => void child.kill('SIGKILL'),
    ref: () => {
      child.ref();
      child.channel?.ref();
    },
    unref: () => {
      child.unref();
      child.channel?.unref();
    },
  };
}

function ignore(): void {}

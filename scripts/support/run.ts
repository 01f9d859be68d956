/**
 * Runs a program to its end. It dies with this process, however this process dies (PR_SET_PDEATHSIG, prctl(2)), so that
 * nothing of a killed run keeps writing or listening.
 */
import { spawn } from 'node:child_process';
import { Failure } from './errors.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A file descriptor that gets the standard output. */
  readonly stdout?: number;
}

/** The same command line, which the kernel kills when the calling process ends. */
export function dyingWithParent(command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  return ['setpriv', '--pdeathsig', 'KILL', '--', ...command];
}

export function run(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<Ran> {
  const [file, ...args] = dyingWithParent(command);
  const { cwd, env, stdout } = options;
  const child = spawn(file, args, { cwd, env: env ?? process.env, stdio: ['ignore', stdout ?? 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(new Failure(`${command[0]} must be run by setpriv (package util-linux), got ${error.code}`));
    });
    child.on('close', (code) => resolve({ code, ...texts }));
  });
}

/** Exit code 0, or one line with the last thing that it said. */
export async function runWell(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<Ran> {
  const ran = await run(command, options);
  if (ran.code === 0) return ran;
  const last = ran.stderr.trim().split('\n').at(-1);
  throw new Failure(`${command[0]} must end with exit code 0, got ${ran.code}: ${last}`);
}

/** What a command gets from the process, and what it gives back: the exit code. */

export const ExitCode = { ok: 0, failed: 1, usage: 2 } as const;
export type ExitCodeValue = (typeof ExitCode)[keyof typeof ExitCode];

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where this build comes from. */
export interface BuildStamp {
  readonly version: string;
  readonly commit: string;
  /** By Node's name of the architecture and the C library, such as "x64-musl": one bundle serves all targets. */
  readonly targets: Readonly<Record<string, BuildTarget>>;
}

export interface BuildTarget {
  /** Such as "x86_64-unknown-linux-musl". */
  readonly triple: string;
  /** SHA-256 of the Node.js executable inside, in hexadecimal. */
  readonly runtime: string;
}

export interface ProcessIO {
  readonly args: readonly string[];
  readonly environment: Environment;
  readonly build: BuildStamp;
  /** Writes to standard output; returns null, or the code of the error, such as "ENOSPC". */
  print(text: string): string | null;
  printError(text: string): void;
}

/** Prints what was asked for, such as help: failing to is a failure of the command. */
export function printResult(io: ProcessIO, text: string): ExitCodeValue {
  const code = io.print(text);
  // A reader that closes its end, such as `head`, has read enough.
  if (code === null || code === 'EPIPE') return ExitCode.ok;
  io.printError(`vrypt-server: cannot write to standard output (${code})\n`);
  return ExitCode.failed;
}

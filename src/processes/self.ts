/** How this program is started once more. */
import { accessSync, constants } from 'node:fs';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** The file that this process runs: Node, or the packaged executable. null: it cannot be reached any more. */
export function ownExecutable(): string | null {
  // /proc/self/exe leads to our own image even after the file was deleted or replaced.
  return ['/proc/self/exe', process.execPath].find(canRun) ?? null;
}

export function isPackaged(): boolean {
  return process.getBuiltinModule('node:sea').isSea();
}

/** The command for a script; a packaged executable takes the place of its own main script, and runs no other. */
export function ownCommand(script: string, args: readonly string[]): Command {
  const file = ownExecutable() ?? process.execPath;
  return { file, args: isPackaged() ? args : [...process.execArgv, script, ...args] };
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

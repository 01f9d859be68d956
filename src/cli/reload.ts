/** The command `reload`: makes a running web server read its configuration again. */
import { readFileSync } from 'node:fs';
import { text } from '../rules/rules.ts';
import type { Command } from './commands.ts';
import { readConfigFile } from './config-file.ts';
import { type OptionRow, resolveOptions } from './options.ts';
import { ExitCode } from './process-io.ts';
import { UsageError } from './usage-error.ts';

const ROWS = [
  {
    name: 'pid-file',
    rule: text('file', 'the path of a file'),
    help: 'file that holds the process id of the server',
  },
  {
    name: 'config',
    short: 'c',
    rule: text('file', 'the path of a configuration file'),
    help: 'check this file first, and do nothing if it has faults',
  },
] as const satisfies readonly OptionRow[];

export const reload: Command = {
  description: 'Sends SIGHUP to a running web server: it reads its configuration again, without losing a connection.',
  rows: ROWS,
  positionalHelp: 'the same as --pid-file',
  notes: 'The server checks the whole file first. If it has faults, the server prints them and goes on as before.\n',
  run: async ({ options, positional }, io) => {
    const { values } = resolveOptions(ROWS, options, io.environment);
    const file = values['pid-file'] ?? positional;
    if (file === undefined) throw new UsageError('--pid-file must be given');
    if (values.config !== undefined) {
      const read = await readConfigFile(values.config, io.environment);
      if (read.kind === 'bad') {
        io.printError(`${read.messages.join('\n')}\n`);
        return ExitCode.failed;
      }
    }
    const problem = signal(file);
    if (problem === null) return ExitCode.ok;
    io.printError(`vrypt-server: ${problem}\n`);
    return ExitCode.failed;
  },
};

/** Returns why it cannot. */
function signal(file: string): string | null {
  let pid: string;
  try {
    pid = readFileSync(file, 'utf8').trim();
  } catch (error) {
    return `the PID file ${file} cannot be read (${codeOf(error)}): is the server running?`;
  }
  if (!/^[1-9]\d{0,9}$/.test(pid))
    return `the PID file ${file} must hold a process id, got ${JSON.stringify(pid.slice(0, 40))}`;
  try {
    process.kill(Number(pid), 'SIGHUP');
    return null;
  } catch (error) {
    return `process ${pid} of ${file} cannot be told (${codeOf(error)})`;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'error';
}

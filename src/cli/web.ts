/** The command `web`: serves the sites of a configuration file. */
import { text } from '../rules/rules.ts';
import type { Command } from './commands.ts';
import { DEFAULT_FILE, type GoodConfig, readConfigFile } from './config-file.ts';
import { type OptionRow, resolveOptions } from './options.ts';
import { type ExitCodeValue, type ProcessIO, printResult } from './process-io.ts';
import { UsageError } from './usage-error.ts';
import { mustBeGood, startWebServer, type WebServerOptions } from './web-server.ts';

export const CONFIG_ROW = {
  name: 'config',
  short: 'c',
  rule: text('file', 'the path of a configuration file'),
  default: DEFAULT_FILE,
  help: 'the configuration file',
} as const satisfies OptionRow;

export const PID_FILE_ROW = {
  name: 'pid-file',
  rule: text('file', 'the path of a file'),
  help: 'file that holds the process id while the server runs',
} as const satisfies OptionRow;

export const PRINT_ROW = {
  name: 'print',
  help: 'print the configuration with all its defaults, secrets as ***, and serve nothing',
} as const satisfies OptionRow;

export const QUIET_ROW = { name: 'quiet', short: 'q', help: 'print nothing but errors' } as const satisfies OptionRow;

/** There to say why it is refused. */
export const ISOLATION_ROW = {
  name: 'isolation',
  rule: {
    placeholder: 'thread',
    requirement: 'thread here: workers share limits, counts and the keys of TLS tickets in their memory',
    read: (text: string) => (text === 'thread' ? text : undefined),
  },
  help: 'what workers are: threads, which share rate limits, counts and TLS tickets in their memory',
} as const satisfies OptionRow;

const ROWS = [CONFIG_ROW, PID_FILE_ROW, ISOLATION_ROW, PRINT_ROW, QUIET_ROW] as const satisfies readonly OptionRow[];

export const web: Command = {
  description: 'Serves the sites of a configuration file: files, proxied applications, redirects, on every core.',
  rows: ROWS,
  positionalHelp: 'the same as --config',
  notes: `SIGHUP makes it read the file again; a file with faults changes nothing. Paths in the file start at its folder.

Examples:
  vrypt-server check -c vrypt.toml     every fault of the file
  vrypt-server web -c vrypt.toml       serve
`,
  run: async ({ options, positional }, io) => {
    const { values } = resolveOptions(ROWS, options, io.environment);
    const file = configFile(values.config, options['config'] !== undefined, positional);
    const read = mustBeGood(await readConfigFile(file, io.environment));
    return serveOrPrint(read, values, () => readConfigFile(file, io.environment), io);
  },
};

/** What the rows of every web command come to. */
export interface WebValues {
  readonly print: boolean;
  readonly quiet: boolean;
  readonly 'pid-file'?: string | undefined;
}

/** `readAgain`: null if there is no file to read. */
export async function serveOrPrint(
  read: GoodConfig,
  { print, quiet: isQuiet, 'pid-file': pidFile }: WebValues,
  readAgain: WebServerOptions['readAgain'],
  io: ProcessIO,
): Promise<ExitCodeValue> {
  if (print) {
    const { printConfig } = await import('../web/config/print-config.ts');
    return printResult(io, printConfig(read.written));
  }
  return startWebServer(read.config, { isQuiet, pidFile: pidFile ?? null, readAgain }, io);
}

/** The file given without a name, as if it had been given with --config. */
export function configFile(value: string, isTyped: boolean, positional: string | undefined): string {
  if (positional === undefined) return value;
  if (isTyped && positional !== value) {
    throw new UsageError(`--config and the file given without a name must not differ, got ${value} and ${positional}`);
  }
  return positional;
}

/** The command line, by commander: options from their rows, help, and typed text out. */
import { Command, CommanderError } from 'commander';
import { type CommandLine, Information } from './command-line.ts';
import { OPTION_ROWS, type OptionRow } from './settings.ts';
import { UsageError } from './units.ts';

const EXAMPLES = `
Durations take ms, s, m or h; sizes take B, KiB, MiB or GiB.

Examples:
  vrypt-server 3000                  every address, port 3000, every core
  vrypt-server -H :: -p 0            IPv6 and IPv4, any free port
  vrypt-server 3000 --share          next to a running one, to replace it
`;

/** Throws a UsageError for what cannot be understood, and Information for what only asks. */
export function readCommandLine(args: readonly string[], version: string): CommandLine {
  let output = '';
  const program = new Command('vrypt-server')
    .description('Answers Vrypt to every HTTP request, on every core.')
    .argument('[port]', 'the same as --port')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .addHelpText('after', EXAMPLES)
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        output += text;
      },
      writeErr: () => {},
    });
  const rows: readonly OptionRow[] = OPTION_ROWS;
  for (const row of rows) {
    const flags = `${row.short ? `-${row.short}, ` : ''}--${row.name}${row.value ? ` <${row.value}>` : ''}`;
    program.option(flags, row.help + (row.default ? ` (default: ${row.default})` : ''));
  }
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new Information(output.trimEnd());
    throw new UsageError(error.message.replace(/^error: /, '').replace(/\s+/g, ' '));
  }
  const values = program.opts<Record<string, string | true>>();
  const options: Record<string, string> = {};
  for (const { name } of rows) {
    const value = values[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    if (value !== undefined) options[name] = value === true ? '' : value;
  }
  return { options, port: program.args[0] };
}

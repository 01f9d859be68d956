/** The arguments of a command, by commander: option rows in, typed text or a request for help out. */
import * as commander from 'commander';
import type { Command, CommandLine, CommandRow } from './commands.ts';
import { flagOf, type OptionRow } from './options.ts';
import { UsageError } from './usage-error.ts';

/** Help was asked for; nothing else is to be done. */
export interface HelpRequested {
  readonly kind: 'help';
  readonly text: string;
}

export interface VersionRequested {
  readonly kind: 'version';
  readonly isJson: boolean;
}

export interface CommandRequested {
  readonly kind: 'command';
  readonly line: CommandLine;
}

export type Request = CommandRequested | HelpRequested | VersionRequested;

/** Throws a UsageError for what cannot be understood. The values of options are not looked at. */
export function parseArguments(
  { positional, mostPositionals = 1 }: CommandRow,
  command: Command,
  args: readonly string[],
  name: string,
): Request {
  let help = '';
  const program = new commander.Command(name)
    .description(command.description)
    .usage(`[${positional}] [options]`)
    .argument(mostPositionals === 1 ? `[${positional}]` : `[arguments...]`, command.positionalHelp)
    .helpOption('-h, --help', 'print this')
    .addHelpText('after', `\n${command.notes}`)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        help += text;
      },
      writeErr: () => {},
    });
  const options = command.rows.map((row) => ({ row, option: optionOf(row) }));
  for (const { option } of options) program.addOption(option);
  program.option('-V, --version', 'print the version').option('--json', 'with --version: all versions inside, as JSON');
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof commander.CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'help', text: help.trimEnd() };
    const got = program.args.map((text) => JSON.stringify(text)).join(' and ');
    const isTooMany = error.code === 'commander.excessArguments';
    const words = isTooMany ? `${positional} must be given only once, got ${got}` : inOurWords(error, command.rows);
    throw new UsageError(`${words}, see ${name} --help`);
  }
  if (program.args.length > mostPositionals) {
    const got = program.args.map((text) => JSON.stringify(text)).join(' and ');
    throw new UsageError(`there must be no more than ${mostPositionals} arguments, got ${got}, see ${name} --help`);
  }
  const values = program.opts<Record<string, readonly string[] | boolean | undefined>>();
  if (values['version']) return { kind: 'version', isJson: values['json'] === true };
  if (values['json']) throw new UsageError(`--json must be given together with --version, see ${name} --help`);
  const typed: Record<string, readonly string[]> = {};
  for (const { row, option } of options) {
    const value = values[option.attributeName()];
    if (value !== undefined) typed[row.name] = typeof value === 'boolean' ? [''] : value;
  }
  return { kind: 'command', line: { options: typed, positional: program.args[0], positionals: program.args } };
}

function optionOf(row: OptionRow): commander.Option {
  const flags = `${row.short ? `-${row.short}, ` : ''}${flagOf(row)}${row.rule ? ` <${row.rule.placeholder}>` : ''}`;
  const option = new commander.Option(flags, row.help + (row.default ? ` (default: ${row.default})` : ''));
  if (row.rule === undefined) return option;
  return option.argParser<readonly string[]>((text, previous = []) => [...previous, text]);
}

/** Those that every command has. */
const SWITCHES: ReadonlySet<string> = new Set(['--help', '--version', '--json']);

/** What other programs call by these names, or another command has. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  '-v': '-V',
  '-?': '--help',
  '-c': 'vrypt-server web -c',
  '--config': 'vrypt-server web --config',
};

/** Commander's message, on one line and without its "error: ". */
function inOurWords({ code, message }: commander.CommanderError, rows: readonly OptionRow[]): string {
  const line = message
    .replace(/^error: /, '')
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '');
  const [, flag = ''] = /'(?:-\w, )?(-[^' ]+)/.exec(line) ?? [];
  if (code === 'commander.optionMissingArgument') return `${flag} must be followed by a value`;
  if (code !== 'commander.unknownOption') return line;
  const [name = '', value] = flag.split('=', 2);
  if (value !== undefined && (SWITCHES.has(name) || rows.some((row) => flagOf(row) === name))) {
    return `${name} is a switch and must have no value, got ${JSON.stringify(value)}`;
  }
  const [, suggestion = ELSEWHERE[name]] = /\(Did you mean (.+)\?\)/.exec(line) ?? [];
  return `unknown option ${flag}${suggestion ? ` (did you mean ${suggestion}?)` : ''}`;
}

/**
 * The command line that all commands share: options, `--help`, and what a command throws as lines on standard error and
 * an exit code: 2 for a wrong command line, 1 for a failure.
 */
import { constants } from 'node:os';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { explain, UsageError } from './errors.ts';
import { say } from './progress.ts';

export interface Option {
  readonly name: string;
  readonly short?: string;
  /** What its value is called; without one it is a switch. An option with a value may be repeated. */
  readonly value?: string;
  readonly help: string;
}

export interface CommandSpec {
  /** A sentence. */
  readonly about: string;
  readonly options?: readonly Option[];
  /** What the arguments are called, if there may be any. */
  readonly positionals?: string;
}

export interface Given {
  has(option: string): boolean;
  valuesOf(option: string): readonly string[];
  readonly positionals: readonly string[];
}

export async function command(spec: CommandSpec, work: (given: Given) => Promise<unknown>): Promise<void> {
  endAtSignals();
  // `| head -1`: nobody reads on, and the work is still done.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  try {
    const given = parseCommandLine(spec, process.argv.slice(2));
    if (given.has('help')) process.stdout.write(helpOf(spec));
    else await work(given);
  } catch (error) {
    for (const line of explain(error).split('\n')) say(line);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/** With what `exit` clears away, and the exit code that shells give to a program that a signal has ended. */
function endAtSignals(): void {
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

export function parseCommandLine(spec: CommandSpec, args: readonly string[]): Given {
  const options: ParseArgsOptionsConfig = {};
  for (const { name, short, value } of optionsOf(spec)) {
    const type = value === undefined ? 'boolean' : 'string';
    options[name] = { type, multiple: value !== undefined, ...(short === undefined ? {} : { short }) };
  }
  try {
    const allowPositionals = spec.positionals !== undefined;
    const { values, positionals } = parseArgs({ args: [...args], options, strict: true, allowPositionals });
    return {
      has: (option) => values[option] !== undefined,
      valuesOf: (option) => [values[option] ?? []].flat().map(String),
      positionals,
    };
  } catch (error) {
    throw new UsageError(inWords(error, spec));
  }
}

/** Of what parseArgs refuses; its own words for an unknown option advise to pass it as an argument. */
function inWords(error: unknown, spec: CommandSpec): string {
  if (!(error instanceof Error)) return String(error);
  const [line = ''] = error.message.split('\n');
  const unknown = /^Unknown option '([^']*)'/.exec(line)?.[1];
  if (unknown === undefined) return line;
  const known = optionsOf(spec).map(({ name }) => `--${name}`);
  return `an option must be one of ${known.join(', ')}; got ${unknown}`;
}

function helpOf(spec: CommandSpec): string {
  const rows = optionsOf(spec).map(({ name, short, value, help }) => {
    const flags = `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` <${value}>`}`;
    return { flags, help };
  });
  const width = Math.max(...rows.map(({ flags }) => flags.length));
  const lines = rows.map(({ flags, help }) => `  ${flags.padEnd(width)}  ${help}`);
  return `${spec.about}\n\n${lines.join('\n')}\n`;
}

function optionsOf(spec: CommandSpec): readonly Option[] {
  return [...(spec.options ?? []), { name: 'help', short: 'h', help: 'show this' }];
}

/** The commands, each loaded only when it is typed. Without one, `respond` runs. */
import { hintFor } from './first-word.ts';
import type { OptionRow, TypedOptions } from './options.ts';
import type { ExitCodeValue, ProcessIO } from './process-io.ts';
import { UsageError } from './usage-error.ts';

/** Defined in the code of the plain server (`whole-program.ts`), where imports that depend on it are left out. */
declare const IS_PLAIN: true | undefined;
const isWhole = typeof IS_PLAIN === 'undefined';

export interface CommandLine {
  readonly options: TypedOptions;
  /** The first argument without a name. */
  readonly positional: string | undefined;
  /** All of them. */
  readonly positionals: readonly string[];
}

export interface Command {
  /** The first sentence of its help. */
  readonly description: string;
  readonly rows: readonly OptionRow[];
  /** What its one argument without a name is, for the help. It may be left out. */
  readonly positionalHelp: string;
  /** Stands below the options in the help. */
  readonly notes: string;
  /** Throws a UsageError for what was typed wrong. */
  run(line: CommandLine, io: ProcessIO): Promise<ExitCodeValue>;
}

export interface CommandRow {
  readonly name: string;
  /** Of its argument without a name, or of several, such as "directory] [port". */
  readonly positional: string;
  /** How many of them there may be; 1 if this is left out. */
  readonly mostPositionals?: number;
  /** For the list of commands. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Loads what the code of the plain server lacks. */
function inWholeProgram(): never {
  throw new Error('the command is in the whole program');
}

const RESPOND: CommandRow = {
  name: 'respond',
  positional: 'port',
  summary: 'serve one answer to every request; this is what runs when no command is typed',
  load: async () => (await import('./respond.ts')).respond,
};

export const COMMANDS: readonly CommandRow[] = [
  RESPOND,
  {
    name: 'run',
    positional: 'file] [port',
    mostPositionals: 2,
    summary: 'serve a program: a module whose default export answers requests',
    load: isWhole ? async () => (await import('./run-app.ts')).runApp : inWholeProgram,
  },
  {
    name: 'healthcheck',
    positional: 'url',
    summary: 'ask a running server whether it is healthy',
    load: async () => (await import('./healthcheck.ts')).healthcheck,
  },
  {
    name: 'files',
    positional: 'directory] [port',
    mostPositionals: 2,
    summary: 'serve the files of a directory',
    load: isWhole ? async () => (await import('./files.ts')).files : inWholeProgram,
  },
  {
    name: 'proxy',
    positional: 'upstream...] [port',
    mostPositionals: 100,
    summary: 'pass requests on to other servers',
    load: isWhole ? async () => (await import('./proxy.ts')).proxy : inWholeProgram,
  },
  {
    name: 'web',
    positional: 'config',
    summary: 'serve the sites of a configuration file',
    load: isWhole ? async () => (await import('./web.ts')).web : inWholeProgram,
  },
  {
    name: 'check',
    positional: 'config',
    summary: 'check a configuration file',
    load: isWhole ? async () => (await import('./check.ts')).checkConfig : inWholeProgram,
  },
  {
    name: 'reload',
    positional: 'pid-file',
    summary: 'make a running web server read its configuration again',
    load: isWhole ? async () => (await import('./reload.ts')).reload : inWholeProgram,
  },
  {
    name: 'logs',
    positional: 'report|top] [log...',
    mostPositionals: 1000,
    summary: 'add up access logs, or watch one',
    load: isWhole ? async () => (await import('./logs.ts')).logs : inWholeProgram,
  },
];

/** Whether the command is known here by its name only. */
export function isInWholeProgram(command: string | undefined): boolean {
  return COMMANDS.some(({ name, load }) => name === command && load === inWholeProgram);
}

export interface Chosen {
  readonly row: CommandRow;
  /** How it was called, as its help and messages repeat it. */
  readonly program: string;
  readonly rest: readonly string[];
}

function noCommand(word: string): string {
  const names = COMMANDS.map(({ name }) => name);
  return `the first argument must be a port or a command, got ${JSON.stringify(word)}${hintFor(word, names)}`;
}

/** Throws a UsageError for a word that is no command. */
export function chooseCommand(args: readonly string[]): Chosen {
  const row = COMMANDS.find(({ name }) => name === args[0]);
  if (row === undefined) {
    // Options of the command that was meant would be refused first.
    if (args.length > 1 && /^[a-z]/i.test(args[0] as string)) throw new UsageError(noCommand(args[0] as string));
    return { row: RESPOND, program: 'vrypt-server', rest: args };
  }
  return { row, program: `vrypt-server ${row.name}`, rest: args.slice(1) };
}

/** The command `run`: serves a program from disk. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Workers } from '../workers/messages.ts';
import type { ProcessSupervisor } from '../workers/process-supervisor.ts';
import type { Command } from './commands.ts';
import { type OptionRow, resolveOptions } from './options.ts';
import { ANSWER_ROWS } from './own-answer.ts';
import type { ProcessIO } from './process-io.ts';
import { withPort } from './respond.ts';
import { placeOf } from './server.ts';
import { OPTION_ROWS, resolveSettings, type Settings } from './settings.ts';
import { startServer } from './start-server.ts';
import { UsageError } from './usage-error.ts';
import { watchProgram } from './watch-program.ts';

const ANSWER_NAMES: ReadonlySet<string> = new Set(ANSWER_ROWS.map(({ name }) => name));

const WATCH_ROW = {
  name: 'watch',
  help: 'for development: load the program again when a file of its folder changes; implies --isolation process',
} as const satisfies OptionRow;

const ROWS: readonly OptionRow[] = [
  ...OPTION_ROWS.filter(({ name }) => !ANSWER_NAMES.has(name)).map((row) =>
    row.name === 'workers' ? { ...row, default: '1' } : row,
  ),
  WATCH_ROW,
];

export const runApp: Command = {
  description: 'Serves a program: a JavaScript module whose default export has fetch, handle or routes.',
  rows: ROWS,
  positionalHelp: 'the file, and the same as --port',
  notes: `The default export is what serve() of the library takes: { fetch }, { handle }, { routes }, with websocket, start, stop and so on.
Where and how it is served is up to the options. Imports from 'vrypt-server' are the library inside this program.
What it fails with while it is loaded is said in one line; with VRYPT_STACK=1 in the environment, with its stack.

Examples:
  vrypt-server run app.mjs 3000
  vrypt-server run app.mjs 3000 --workers auto --isolation process
  vrypt-server run app.mjs --watch
`,
  run: async ({ options, positionals }, io) => {
    const [file, port] = positionals;
    if (file === undefined)
      throw new UsageError('run must be given the path of a program, see vrypt-server run --help');
    const { values } = resolveOptions([WATCH_ROW], options, io.environment);
    const { watch: _, ...typed } = withPort(options, port);
    const environment = withoutAnswers(io);
    const isOwnChoice = typed['workers'] !== undefined || environment['VRYPT_WORKERS'] !== undefined;
    // Programs keep things in memory: more than one worker is for them to choose.
    const settings = resolveSettings(
      isOwnChoice ? typed : { ...typed, ...defaultWorkers(typed, environment) },
      environment,
    );
    const isolation = values.watch ? 'process' : settings.isolation;
    const relayName = `vrypt-server ${process.pid}`;
    const url = urlOf(file);
    const all: Settings = { ...settings, isolation };
    return startServer(all, io, {
      isProgram: true,
      app: (workers) => ({ kind: 'module', url: url.href, workers, relayName, drainMs: settings.drainTimeoutMs }),
      ...(values.watch ? { started: (workers) => watching(url, workers, settings, io) } : {}),
    });
  },
};

/** `--worker` says how many, too. */
function defaultWorkers(typed: Readonly<Record<string, unknown>>, environment: ProcessIO['environment']): object {
  return typed['worker'] === undefined && environment['VRYPT_WORKER'] === undefined ? { workers: ['1'] } : {};
}

/** The variables of the plain server's answer are none of ours. */
function withoutAnswers({ environment }: ProcessIO): ProcessIO['environment'] {
  const left = { ...environment };
  for (const name of ANSWER_NAMES) delete left[`VRYPT_${name.toUpperCase().replaceAll('-', '_')}`];
  return left;
}

/** Throws a UsageError if the file cannot be run here. */
function urlOf(file: string): URL {
  const full = path.resolve(file);
  if (statSync(full, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new UsageError(`run must be given the path of a file, got ${JSON.stringify(file)}`);
  }
  if (/\.[cm]?tsx?$/.test(full) && !process.features.typescript) {
    const advice = 'compile it first, for instance with esbuild';
    throw new UsageError(
      `this Node does not strip types, so run must be given JavaScript, got ${JSON.stringify(file)}: ${advice}`,
    );
  }
  return pathToFileURL(full);
}

/** Returns where it listens. */
function watching(url: URL, workers: Workers, { drainTimeoutMs, isQuiet }: Settings, io: ProcessIO): string {
  watchProgram(fileURLToPath(url), async () => {
    try {
      await (workers as ProcessSupervisor).replaceAll(drainTimeoutMs);
      if (!isQuiet) io.print('vrypt-server loaded the program again\n');
    } catch (error) {
      io.printError(`vrypt-server: ${(error as Error).message}\n`);
    }
  });
  return placeOf(workers);
}

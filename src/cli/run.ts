/** The program from start to end: what was typed, and what comes of it. Owns what a person sees. */
import { type CommandLine, Information } from './command-line.ts';
import { resolveSettings, type Settings } from './settings.ts';
import { UsageError } from './units.ts';

export const ExitCode = { ok: 0, failed: 1, usage: 2 } as const;
export type ExitCodeValue = (typeof ExitCode)[keyof typeof ExitCode];

export interface Surroundings {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly commit: string;
  print(text: string): void;
  printError(text: string): void;
}

/** Does what the arguments ask for; resolves with the exit code. */
export async function run(surroundings: Surroundings): Promise<ExitCodeValue> {
  const { args, environment, version, commit, print, printError } = surroundings;
  let settings: Settings;
  try {
    const { options, port } = await readArguments(args, `${version} (${commit})`);
    settings = resolveSettings(options, port, environment);
  } catch (error) {
    if (error instanceof Information) {
      print(`${error.message}\n`);
      return ExitCode.ok;
    }
    if (!(error instanceof UsageError)) throw error;
    printError(`vrypt-server: ${error.message}\n`);
    return ExitCode.usage;
  }
  try {
    // Loaded only now: whoever asks for help needs no server.
    const { runServer } = await import('./server.ts');
    await runServer(settings, version, surroundings);
    return ExitCode.ok;
  } catch (error) {
    printError(`vrypt-server: ${explain(error, settings)}\n`);
    return ExitCode.failed;
  }
}

/** The lines that nearly everybody types need no commander, which takes 5 ms of 25; all others get it. */
async function readArguments(args: readonly string[], version: string): Promise<CommandLine> {
  const [only = ''] = args;
  if (args.length === 0) return { options: {}, port: undefined };
  if (args.length === 1 && /^\d+$/.test(only)) return { options: {}, port: only };
  if (args.length === 1 && only === '--version') throw new Information(version);
  const { readCommandLine } = await import('./program.ts');
  return readCommandLine(args, version);
}

/** What a system error means to the person who started us. */
function explain(error: unknown, settings: Settings): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const { host, port } = settings;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use (EADDRINUSE); --share joins a running vrypt-server of the same user`;
    case 'EACCES':
    case 'EPERM':
      return `port ${port} on ${host} may not be opened by this user (${code})`;
    case 'EADDRNOTAVAIL':
      return `--host ${host} is no address of this machine (${code})`;
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return `--host ${host} cannot be listened on (${code})`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
    case 'EAI_NONAME':
      return `--host ${host} was not found (${code})`;
    default:
      return message;
  }
}

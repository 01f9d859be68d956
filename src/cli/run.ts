/** The program from start to end: settings, workers, signals. Owns what a person sees. */
import { lookup } from 'node:dns/promises';
import { availableParallelism } from 'node:os';
import { vrypt } from '../handlers/vrypt.ts';
import { type Supervisor, startSupervisor } from '../workers/supervisor.ts';
import { connectionsThatFit } from './open-files.ts';
import { Information, readCommandLine } from './program.ts';
import { resolveSettings, type Settings } from './settings.ts';
import { UsageError } from './units.ts';

export const ExitCode = { ok: 0, failed: 1, usage: 2 } as const;
export type ExitCodeValue = (typeof ExitCode)[keyof typeof ExitCode];

export interface Surroundings {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  print(text: string): void;
  printError(text: string): void;
}

/** Runs the server until it is told to end; resolves with the exit code. */
export async function run(surroundings: Surroundings): Promise<ExitCodeValue> {
  const { args, environment, version, print, printError } = surroundings;
  let settings: Settings;
  try {
    const { options, port } = readCommandLine(args, version);
    settings = resolveSettings(options, port, environment);
  } catch (error) {
    if (error instanceof Information) {
      print(error.message);
      return ExitCode.ok;
    }
    if (!(error instanceof UsageError)) throw error;
    printError(`vrypt-server: ${error.message}\n`);
    return ExitCode.usage;
  }
  const signals = watchSignals();
  try {
    const supervisor = await start(settings, printError);
    process.on('uncaughtException', (error) => supervisor.survive(error));
    if (!settings.isQuiet) print(readyLine(supervisor, version));
    const stopStatsd =
      settings.statsd === null
        ? null
        : (await import('./statsd.ts')).startStatsd(settings.statsd, () => supervisor.requests());
    await signals.first;
    // A second signal ends at once, whatever is left; the code is the shell's for that signal.
    await Promise.race([supervisor.drain(settings.drainTimeoutMs), signals.second]);
    stopStatsd?.();
    return ExitCode.ok;
  } catch (error) {
    printError(`vrypt-server: ${explain(error, settings)}\n`);
    return ExitCode.failed;
  }
}

async function start(settings: Settings, printError: (text: string) => void): Promise<Supervisor> {
  const { host, port, limits, sharesPort, usesNet } = settings;
  const workers = settings.workers || availableParallelism();
  const fitting = connectionsThatFit(workers);
  const maxConnections = Math.min(limits.maxConnections, fitting);
  if (maxConnections < limits.maxConnections && !settings.isQuiet) {
    printError(
      `vrypt-server: --max-connections ${limits.maxConnections} does not fit the limit on open files (ulimit -n), serving at most ${maxConnections}\n`,
    );
  }
  const address = await addressOf(host);
  return startSupervisor({ address, port, workers, sharesPort, usesNet, limits: { ...limits, maxConnections } }, vrypt);
}

async function addressOf(host: string): Promise<string> {
  const isAddress = host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host);
  return isAddress ? host : (await lookup(host)).address;
}

function readyLine(supervisor: Supervisor, version: string): string {
  const { address, port, workers } = supervisor;
  const host = address.includes(':') ? `[${address}]` : address;
  return `vrypt-server ${version} listening on http://${host}:${port} (${workers} ${workers === 1 ? 'worker' : 'workers'})\n`;
}

/** SIGTERM and SIGINT ask for the end, the second of them at once. SIGUSR1 must not open a debugger. */
function watchSignals(): { first: Promise<void>; second: Promise<void> } {
  process.on('SIGUSR1', () => {});
  let count = 0;
  let resolveFirst: () => void;
  let resolveSecond: () => void;
  const first = new Promise<void>((resolve) => {
    resolveFirst = resolve;
  });
  const second = new Promise<void>((resolve) => {
    resolveSecond = resolve;
  });
  const onSignal = () => {
    if (++count === 1) resolveFirst();
    else resolveSecond();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { first, second };
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

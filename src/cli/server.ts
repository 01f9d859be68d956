/** A server from its start to its end: workers, signals, the line that says it is ready. */
import { availableParallelism } from 'node:os';
import { type Supervisor, startSupervisor } from '../workers/supervisor.ts';
import { connectionsThatFit } from './open-files.ts';
import type { Settings } from './settings.ts';

export interface Printer {
  print(text: string): unknown;
  printError(text: string): void;
}

/** Serves until a signal asks for the end; rejects where it cannot start. */
export async function runServer(settings: Settings, version: string, printer: Printer): Promise<void> {
  const signals = watchSignals();
  // A second signal ends at once, whatever is left to do; to look up a name can take a minute.
  const supervisor = await Promise.race([start(settings, printer), signals.second]);
  if (!supervisor) return;
  process.on('uncaughtException', (error) => supervisor.survive(error));
  if (!settings.isQuiet) printer.print(readyLine(supervisor, version));
  const stopStatsd = await startStatsd(settings, supervisor, printer);
  await signals.first;
  await Promise.race([supervisor.drain(settings.drainTimeoutMs), signals.second]);
  stopStatsd?.();
}

async function start(settings: Settings, printer: Printer): Promise<Supervisor> {
  const { app, host, port, limits, sharesPort, transport } = settings;
  const workers = settings.workers === 'auto' ? availableParallelism() : settings.workers;
  const maxConnections = Math.min(limits.maxConnections, connectionsThatFit(workers));
  if (maxConnections < limits.maxConnections && settings.isMaxConnectionsTyped && !settings.isQuiet) {
    printer.printError(
      `vrypt-server: --max-connections ${limits.maxConnections} does not fit the limit on open files (ulimit -n), serving at most ${maxConnections}\n`,
    );
  }
  const address = await addressOf(host ?? '0.0.0.0');
  return startSupervisor({ app, address, port, workers, sharesPort, transport, limits: { ...limits, maxConnections } });
}

/** Names are looked up; what does that is loaded only for them. */
async function addressOf(host: string): Promise<string> {
  if (host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host)) return host;
  const { lookup } = await import('node:dns/promises');
  return (await lookup(host)).address;
}

async function startStatsd(
  { statsd }: Settings,
  supervisor: Supervisor,
  printer: Printer,
): Promise<(() => void) | null> {
  if (statsd === undefined) return null;
  const module = await import('./statsd.ts');
  return module.startStatsd(
    statsd,
    () => supervisor.requests(),
    (line) => printer.printError(`vrypt-server: ${line}\n`),
  );
}

function readyLine(supervisor: Supervisor, version: string): string {
  const { address, port, workers } = supervisor;
  const host = address.includes(':') ? `[${address}]` : address;
  return `vrypt-server ${version} listening on http://${host}:${port} (${workers} ${workers === 1 ? 'worker' : 'workers'})\n`;
}

/** SIGTERM and SIGINT ask for the end, the second of them at once. SIGUSR1 must not open a debugger. */
function watchSignals(): { first: Promise<void>; second: Promise<void> } {
  process.on('SIGUSR1', () => {});
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let count = 0;
  const onSignal = () => (count++ === 0 ? first : second).resolve();
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { first: first.promise, second: second.promise };
}

/** A server from its start to its end: capacity, workers, signals, what is printed on the way. */
import { addressOfHost } from '../engine/host-address.ts';
import type { Notifier, SystemdSocket } from '../processes/systemd.ts';
import type { WantedEndpoint } from '../workers/endpoint.ts';
import type { Drained, Workers } from '../workers/messages.ts';
import { reportError } from '../workers/report.ts';
import { type StartOptions, startSupervisor } from '../workers/supervisor.ts';
import type { WorkerApp } from '../workers/worker-app.ts';
import { type Capacity, planCapacity } from './capacity.ts';
import { endWithin, stopWaiting } from './end-process.ts';
import { readMachine, threadLimit } from './machine.ts';
import { ExitCode } from './process-io.ts';
import type { Settings } from './settings.ts';
import { type StopSignals, watchSignals } from './signals.ts';

/** Beyond the deadlines that JavaScript keeps: only if that is stuck is the process ended without a last line. */
const END_MARGIN_MS = 1000;

export interface Printer {
  print(text: string): unknown;
  printError(text: string): void;
}

/** What a command adds to the life of its server. */
export interface ServerHooks {
  /** What is served by that many workers; instead of the settings' app. */
  app?(workers: number): WorkerApp;
  /** Of the person who started us: its errors are its own. */
  readonly isProgram?: boolean;
  /** It listens where its configuration says, and not on sockets of systemd. */
  readonly takesNoSockets?: boolean;
  /** All workers listen. Returns what is printed instead of where the first listener is. */
  started?(workers: Workers): string;
  /** All workers have ended. */
  stopped?(): Promise<void>;
}

/** Serves until a signal asks for the end; rejects if it cannot start. Threads may be left behind: see `end-process.ts`. */
export async function runServer(
  settings: Settings,
  version: string,
  printer: Printer,
  hooks: ServerHooks = {},
): Promise<void> {
  const { isolation, limits, labels } = settings;
  const signals = watchSignals();
  void signals.second.then(stopWaiting);
  const say = (text: string) => (settings.isQuiet ? undefined : printer.print(`vrypt-server ${text}\n`));
  const warn = (text: string) => (settings.isQuiet ? undefined : printer.printError(`vrypt-server: ${text}\n`));
  // Nobody is connected yet for whom a signal would have to wait.
  const notifier = await openNotifier(warn);
  const sockets = hooks.takesNoSockets === true ? [] : await takeSockets();
  const endpoint = await Promise.race([
    sockets.length > 0 ? socketsEndpoint(sockets) : endpointOf(settings),
    signals.first.then(() => null),
  ]);
  if (endpoint === null) {
    say(`stopped by ${await signals.first} before it listened`);
    return;
  }
  // Threads cannot share a socket that was opened for the process.
  const workers = endpoint.kind === 'descriptors' && isolation === 'thread' ? 1 : settings.workers;
  const { maxConnections } = limits;
  const wishes = { workers, isolation, maxConnections, maxConnectionsLabel: labels.maxConnections };
  const capacity = planCapacity(wishes, readMachine(workers));
  for (const note of capacity.notes) warn(note);
  let isStopping = false;
  const stopped = signals.first.then(() => {
    isStopping = true;
  });
  let supervisor: Workers | null = null;
  const survive = (error: unknown) => {
    // While it is loaded, it is for its loader to say.
    if (process.listenerCount('uncaughtException') > 1) return;
    if (supervisor === null) reportError(0, error);
    else supervisor.survive(error);
  };
  // A program's own work may fail while other workers start. Anything else that fails before we listen is the end.
  if (hooks.isProgram === true) process.on('uncaughtException', survive);
  supervisor = await Promise.race([
    start({ ...settings, app: hooks.app?.(capacity.workers) ?? settings.app }, endpoint, capacity, stopped),
    signals.second.then(() => null),
  ]);
  if (supervisor === null) {
    say(`stopped by ${await signals.first}, then ${await signals.second}, before it listened`);
    return;
  }
  if (supervisor.shortage !== null) {
    const limit = threadLimit(supervisor.shortage);
    warn(`${limit} allows ${count(supervisor.workers, 'worker')} instead of ${capacity.workers}`);
  }
  if (hooks.isProgram !== true) process.on('uncaughtException', survive);
  const places = hooks.started?.(supervisor) ?? placeOf(supervisor);
  if (!isStopping) say(`${version} listening on ${places} (${count(supervisor.workers, 'worker')})`);
  notifier?.ready();
  const stopStatsd = await startStatsd(settings, supervisor, printer);
  void signals.first.then(() => notifier?.stopping());
  say(await stop(settings, supervisor, signals));
  notifier?.close();
  supervisor.kill();
  await hooks.stopped?.();
  stopStatsd?.();
}

function start(
  settings: Settings,
  endpoint: WantedEndpoint,
  { workers, maxConnections }: Capacity,
  stopped: Promise<unknown>,
): Promise<Workers> {
  const { app, sharesPort, transport } = settings;
  const limits = { ...settings.limits, maxConnections };
  const options: StartOptions = { app, endpoint, workers, sharesPort, transport, limits };
  return settings.isolation === 'process' ? startProcesses(options, stopped) : startSupervisor(options, stopped);
}

/** Loaded only when it is asked for. */
async function startProcesses(options: StartOptions, stopped: Promise<unknown>): Promise<Workers> {
  const module = await import('../workers/process-supervisor.ts');
  return module.startProcesses(options, stopped);
}

/** What systemd has opened for us, if it has started us by a socket. */
async function takeSockets(): Promise<SystemdSocket[]> {
  if (process.env['LISTEN_FDS'] === undefined) return [];
  const { takeSystemdSockets } = await import('../processes/systemd.ts');
  return takeSystemdSockets();
}

function socketsEndpoint(sockets: readonly SystemdSocket[]): WantedEndpoint {
  return { kind: 'descriptors', descriptors: sockets.map(({ descriptor }) => descriptor) };
}

async function openNotifier(warn: (text: string) => void): Promise<Notifier | null> {
  if (process.env['NOTIFY_SOCKET'] === undefined) return null;
  const systemd = await import('../processes/systemd.ts');
  return systemd.openNotifier(warn);
}

async function endpointOf({ host, port, unixPath }: Settings): Promise<WantedEndpoint> {
  if (unixPath !== undefined) return { kind: 'unix', path: unixPath, ticket: null };
  if (host === undefined) return { kind: 'everywhere', port };
  return { kind: 'tcp', address: await addressOfHost(host), port };
}

/** Waits for a signal, then drains; resolves with what that came to. Whatever hangs, it ends in time. */
async function stop(settings: Settings, supervisor: Workers, signals: StopSignals): Promise<string> {
  const { drainDelayMs, drainTimeoutMs } = settings;
  const first = await signals.first;
  endWithin(drainDelayMs + drainTimeoutMs + END_MARGIN_MS, ExitCode.ok);
  const began = process.uptime();
  const before = supervisor.requests();
  if (drainDelayMs > 0) {
    supervisor.announceDrain();
    await Promise.race([timeout(drainDelayMs), signals.second]);
  }
  // Draining connects to our own accept queues, which may reach another server that shares the port: those are no clients.
  const open = supervisor.connections;
  const outcome = await Promise.race([
    signals.second,
    supervisor.drain(drainTimeoutMs, before),
    timeout(drainTimeoutMs).then(() => null),
  ]);
  const took = `${(process.uptime() - began).toFixed(2)}s`;
  if (outcome !== null && typeof outcome === 'object') return `stopped by ${first} after ${took}: ${summary(outcome)}`;
  if (outcome === null) {
    stopWaiting();
    return `stopped by ${first} after ${took}: a worker did not end in time`;
  }
  const cutOff = Math.min(open, supervisor.connections);
  return `stopped by ${first}, then ${outcome}, after ${took}: ${count(cutOff, 'connection')} cut off`;
}

function summary({ connections, requests, cutOff }: Drained): string {
  const all = `${count(connections, 'connection')} drained, ${count(requests, 'request')} answered since the signal`;
  return cutOff === 0 ? all : `${all}, ${cutOff} cut off`;
}

function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function startStatsd(
  { statsd, labels }: Settings,
  supervisor: Workers,
  printer: Printer,
): Promise<(() => void) | null> {
  if (statsd === undefined) return null;
  const module = await import('./statsd.ts');
  return module.startStatsd(
    statsd,
    () => supervisor.requests(),
    (line) => printer.printError(`vrypt-server: ${labels.statsd} ${line}\n`),
  );
}

/** As the line says that a server prints when it listens. */
export function placeOf({ address, port }: Workers): string {
  const host = address.includes(':') ? `[${address}]` : address;
  if (port === 0) return address.startsWith('descriptor') ? address : `unix:${address}`;
  return `http://${host}:${port}`;
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}

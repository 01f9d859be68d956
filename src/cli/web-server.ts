/** A server of sites from its start to the exit code: settings of its configuration, its PID file, and how it is read again. */
import { rmSync, writeFileSync } from 'node:fs';
import { ErrorLog } from '../log/error-log.ts';
import type { Applications } from '../web/applications.ts';
import type { ListenerConfig, WebConfig } from '../web/config/web-config.ts';
import { makeSharedState, makeTickets, type SharedState } from '../web/shared-state.ts';
import type { WebCertificates } from '../web/web-certificates.ts';
import type { Workers } from '../workers/messages.ts';
import type { Supervisor } from '../workers/supervisor.ts';
import type { WebSource } from '../workers/worker-app.ts';
import type { GoodConfig, ReadConfig } from './config-file.ts';
import { ExitCode, type ExitCodeValue, type ProcessIO } from './process-io.ts';
import type { ServerHooks } from './server.ts';
import { type Settings, USUAL_LABELS } from './settings.ts';
import { takeHangups } from './signals.ts';
import { startServer } from './start-server.ts';
import { UsageError } from './usage-error.ts';

export interface WebServerOptions {
  readonly isQuiet: boolean;
  /** null: that of the configuration. */
  readonly pidFile: string | null;
  /** Reads the configuration again; null: there is no file to read. */
  readonly readAgain: (() => Promise<ReadConfig>) | null;
}

export async function startWebServer(
  config: WebConfig,
  options: WebServerOptions,
  io: ProcessIO,
): Promise<ExitCodeValue> {
  const pidFile = options.pidFile ?? config.server.pidFile;
  const server = new WebServer(config, options, io, await makeTickets(config));
  // Before anybody can know the process.
  if (options.readAgain !== null) takeHangups(() => server.reload());
  if (pidFile !== null && !writePidFile(pidFile, io)) return ExitCode.failed;
  // Before anybody is served by them.
  if (!(await server.prepare(config))) return ExitCode.failed;
  const code = await startServer(settingsOf(server.config, options), io, server);
  await server.stopped();
  if (pidFile !== null) rmSync(pidFile, { force: true });
  return code;
}

class WebServer implements ServerHooks {
  readonly config: WebConfig;
  readonly #options: WebServerOptions;
  readonly #io: ProcessIO;
  readonly #tickets: SharedState['tickets'];
  #shared: SharedState | null = null;
  /** null: not all of them listen yet. */
  #workers: Supervisor | null = null;
  /** Owned: closed when all workers have ended. */
  #certificates: WebCertificates | null = null;
  /** Owned: closed last. */
  #errors: { readonly path: string; readonly log: ErrorLog } | null = null;
  /** Owned: stopped then. */
  #applications: Applications | null = null;
  #isReading = false;
  /** Also while it is read: then once more afterwards. */
  #isAsked = false;

  readonly takesNoSockets = true;

  constructor(config: WebConfig, options: WebServerOptions, io: ProcessIO, tickets: SharedState['tickets']) {
    this.#tickets = tickets;
    this.config = inOrder(config);
    this.#options = options;
    this.#io = io;
  }

  app(workers: number) {
    this.#shared = makeSharedState(workers, this.config, this.#tickets);
    this.#applications?.publishTo(this.#shared.applications);
    return { kind: 'web', config: this.config, shared: this.#shared } as const;
  }

  started(workers: Workers): string {
    const supervisor = workers as Supervisor;
    this.#workers = supervisor;
    this.#certificates?.start();
    if (this.#isAsked) this.reload();
    const { config } = supervisor.app as WebSource;
    if (config.tls?.http3 === true) this.#io.printError('vrypt-server: HTTP/3 is experimental\n');
    return config.listeners.map((listener, index) => placeOf(listener, index === 0 ? workers : null)).join(', ');
  }

  /** Certificates and applications; says why it cannot. */
  async prepare(config: WebConfig): Promise<boolean> {
    if (!(await this.#prepareOthers(config))) return false;
    await this.#applications?.take(config);
    return true;
  }

  /** Changes nothing for anybody until workers serve by this configuration too. */
  async #prepareOthers(config: WebConfig): Promise<boolean> {
    const { printError } = this.#io;
    const warn = this.#warn;
    try {
      this.#openErrors(config);
      if (config.tls !== null || this.#certificates !== null) {
        const { WebCertificates } = await import('../web/web-certificates.ts');
        this.#certificates ??= new WebCertificates(warn);
        this.#certificates.prepare(config);
      }
      if (config.tls?.http3 === true) (await import('../http3/quic.ts')).loadQuic();
      const hasProcess = Object.values(config.backends).some(({ process: one }) => one !== null);
      if (hasProcess || this.#applications !== null) {
        const { Applications } = await import('../web/applications.ts');
        this.#applications ??= new Applications(warn, printError);
        this.#applications.check(config);
      }
      return true;
    } catch (error) {
      warn((error as Error).message);
      return false;
    }
  }

  readonly #warn = (text: string): void => {
    this.#io.printError(`vrypt-server: ${text}\n`);
    this.#errors?.log.append(text);
  };

  /** Throws if it cannot be opened. The first worker rotates it. */
  #openErrors({ logging: { errorPath: path } }: WebConfig): void {
    const before = this.#errors;
    if (before?.path === (path ?? undefined)) return;
    const report = (error: unknown) => this.#io.printError(`vrypt-server: ${(error as Error).message ?? error}\n`);
    this.#errors = path === null ? null : { path, log: new ErrorLog({ path, who: 'server', rotation: null, report }) };
    void before?.log.close();
  }

  async stopped(): Promise<void> {
    this.#certificates?.close();
    await this.#applications?.stop();
    await this.#errors?.log.close();
  }

  reload(): void {
    this.#isAsked = true;
    if (this.#workers !== null && !this.#isReading) void this.#read(this.#workers);
  }

  async #read(workers: Supervisor): Promise<void> {
    const { readAgain } = this.#options;
    this.#isReading = true;
    while (this.#isAsked && readAgain !== null) {
      this.#isAsked = false;
      await this.#take(await readAgain(), workers);
    }
    this.#isReading = false;
  }

  async #take(read: ReadConfig, workers: Supervisor): Promise<void> {
    const { printError } = this.#io;
    if (read.kind === 'bad') {
      const faults = read.messages.map((message) => `vrypt-server: ${message}\n`).join('');
      printError(`${faults}vrypt-server: the configuration was not reloaded: nothing has changed\n`);
      return;
    }
    try {
      const config = inOrder(read.config);
      const before = this.#shared as SharedState;
      const shared = makeSharedState(before.workers, config, await makeTickets(config, before.tickets), before);
      const source = { kind: 'web', config, shared } as const;
      if (!(await this.#prepareOthers(config))) throw new Error('see above');
      const failures = await workers.take(source);
      this.#certificates?.start();
      await this.#applications?.take(config, shared.applications);
      if (config.server.workers !== this.config.server.workers) {
        printError('vrypt-server: server.workers has changed: that takes a restart\n');
      }
      if (config.tls?.http3 !== this.config.tls?.http3) {
        printError('vrypt-server: ssl.http3 has changed: that takes a restart\n');
      }
      this.#shared = shared;
      for (const failure of failures) printError(`vrypt-server: a worker: ${failure}\n`);
      if (!this.#options.isQuiet) this.#io.print('vrypt-server reloaded its configuration\n');
    } catch (error) {
      printError(
        `vrypt-server: the configuration was not reloaded, nothing has changed: ${(error as Error).message}\n`,
      );
    }
  }
}

/** The first listener is where the supervisor listens, with every worker: no Unix socket if there is another. */
function inOrder(config: WebConfig): WebConfig {
  const listeners = [...config.listeners].sort(
    (one, two) => Number(one.unixPath !== null) - Number(two.unixPath !== null),
  );
  return { ...config, listeners };
}

function settingsOf(config: WebConfig, { isQuiet }: WebServerOptions): Settings {
  const { server } = config;
  const [first] = config.listeners as [ListenerConfig];
  return {
    host: first.address ?? undefined,
    port: first.port,
    unixPath: first.unixPath ?? undefined,
    workers: first.unixPath === null ? server.workers : 1,
    // Made for as many workers as there will be.
    app: { kind: 'echo', status: 200, fields: [] },
    limits: server.limits,
    labels: { ...USUAL_LABELS, maxConnections: server.isMaxConnectionsSet ? 'max_connections' : null, share: null },
    drainDelayMs: server.drainDelayMs,
    drainTimeoutMs: server.drainTimeoutMs,
    statsd: undefined,
    sharesPort: false,
    isolation: 'thread',
    isQuiet,
    transport: 'handle',
  };
}

function placeOf({ address, port, unixPath, isTls }: ListenerConfig, workers: Workers | null): string {
  if (unixPath !== null) return `unix:${unixPath}`;
  const host = workers?.address ?? address ?? '::';
  return `${isTls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${workers?.port ?? port}`;
}

function writePidFile(file: string, io: ProcessIO): boolean {
  try {
    writeFileSync(file, `${process.pid}\n`);
    return true;
  } catch (error) {
    io.printError(`vrypt-server: the PID file ${file} cannot be written (${(error as NodeJS.ErrnoException).code})\n`);
    return false;
  }
}

/** A configuration that is good, or a UsageError with everything that is wrong. */
export function mustBeGood(read: ReadConfig): GoodConfig {
  if (read.kind === 'good') return read;
  throw new UsageError(read.messages.join('\nvrypt-server: '));
}

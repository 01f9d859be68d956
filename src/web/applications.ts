/** The applications that a configuration names: started before traffic, in step with each new configuration, stopped last. Owns them. */
import { readFileSync } from 'node:fs';
import { LogFile } from '../log/log-file.ts';
import { Rotator } from '../log/rotation.ts';
import { Application, type ApplicationSettings } from '../processes/application.ts';
import { type ApplicationCells, instanceName, writeApplication } from './application-cells.ts';
import type { BackendConfig, ProcessConfig } from './config/backend-config.ts';
import type { WebConfig } from './config/web-config.ts';

interface Kept {
  readonly key: string;
  readonly application: Application;
  readonly log: LogFile | null;
}

export class Applications {
  readonly #report: (text: string) => void;
  readonly #printError: (text: string) => void;
  #kept: readonly Kept[] = [];
  /** Where workers see how they are doing; null: not known yet. */
  #cells: ApplicationCells | null = null;

  /** `printError` gets what applications print that have no log. */
  constructor(report: (text: string) => void, printError: (text: string) => void) {
    this.#report = report;
    this.#printError = printError;
  }

  /** Throws if `take` would. */
  check({ backends }: WebConfig): void {
    for (const backend of Object.values(backends)) settingsOf(backend);
  }

  /**
   * Starts what is new, stops what is gone, and replaces what has changed, one after the other, so that of several copies one serves.
   * Resolves when all are up or have had their time. `cells` are those that workers read.
   */
  async take(config: WebConfig, cells: ApplicationCells | null = null): Promise<void> {
    const wanted = Object.values(config.backends).flatMap(settingsOf);
    const kept: Kept[] = [];
    const gone = new Set(this.#kept);
    const starts: Promise<unknown>[] = [];
    for (const { settings, logPath } of wanted) {
      const key = JSON.stringify([settings, logPath, config.logging.rotation]);
      const same = [...gone].find((one) => one.key === key);
      if (same !== undefined) {
        gone.delete(same);
        kept.push(same);
        continue;
      }
      const before = [...gone].find(({ application }) => placeOf(application.settings) === placeOf(settings));
      if (before !== undefined) {
        gone.delete(before);
        await stop(before);
      }
      const made = this.#make(key, settings, logPath, config);
      kept.push(made);
      const start = made.application.start();
      starts.push(start);
      if (before !== undefined) await start;
    }
    this.#kept = kept;
    // The cells of the configuration before are in another order.
    this.#cells = cells;
    this.#publish();
    await Promise.all([...starts, ...[...gone].map(stop)]);
  }

  /** From now on workers are told there. */
  publishTo(cells: ApplicationCells): void {
    this.#cells = cells;
    this.#publish();
  }

  #publish(): void {
    const cells = this.#cells;
    if (cells === null) return;
    for (const [index, { application }] of this.#kept.entries()) {
      const { pid, restarts, isRunning } = application;
      writeApplication(cells, index, { pid: pid ?? 0, restarts, isUp: isRunning });
    }
  }

  async stop(): Promise<void> {
    const kept = this.#kept;
    this.#kept = [];
    await Promise.all(kept.map(stop));
  }

  kill(): void {
    for (const { application } of this.#kept) application.kill();
  }

  #make(key: string, settings: ApplicationSettings, logPath: string | null, { logging }: WebConfig): Kept {
    const report = (error: unknown) => this.#report(error instanceof Error ? error.message : String(error));
    const { rotation } = logging;
    const rotator = logPath === null || rotation === null ? null : new Rotator(logPath, rotation, report);
    const log =
      logPath === null ? null : new LogFile({ path: logPath, bufferLines: 100, flushMs: 250, rotator, report });
    const print = (lines: string) => (log === null ? this.#printError(lines) : log.append(lines));
    const changed = () => this.#publish();
    return { key, application: new Application(settings, { report: this.#report, print, changed }), log };
  }
}

function placeOf({ port, unixPath }: ApplicationSettings): string | number {
  return unixPath ?? port;
}

async function stop({ application, log }: Kept): Promise<void> {
  await application.stop();
  await log?.close();
}

function settingsOf(backend: BackendConfig): { settings: ApplicationSettings; logPath: string | null }[] {
  const { process: config } = backend;
  if (config === null) return [];
  return Array.from({ length: config.instances }, (_, index) => ({
    settings: instanceOf(backend, config, index),
    logPath: config.logPath,
  }));
}

function instanceOf(
  { name, fastCgi, health, upstreams }: BackendConfig,
  config: ProcessConfig,
  index: number,
): ApplicationSettings {
  const { env: given, passEnv, user, group, instances, logPath: _, ...settings } = config;
  const port = config.port + index;
  const env: Record<string, string> = {};
  for (const variable of passEnv) {
    const value = process.env[variable];
    if (value !== undefined) env[variable] = value;
  }
  for (const [variable, value] of Object.entries(given))
    env[variable] = typeof value === 'string' ? value : value.secret;
  if (config.unixPath === null) env['PORT'] = String(port);
  return {
    ...settings,
    readiness:
      // One that speaks FastCGI is ready when it accepts.
      health === null || fastCgi !== null
        ? null
        : {
            path: `${upstreams[0]?.basePath ?? ''}${health.path}`,
            host: health.host ?? `localhost:${port}`,
            ...health.expected,
          },
    name: instanceName(name, instances, index),
    env,
    uid: idOf(user, '/etc/passwd'),
    gid: idOf(group, '/etc/group') ?? groupOf(user),
    port,
  };
}

/** The number of a name. Throws if there is no such name: to run it as somebody else would be worse than not at all. */
function idOf(name: string | null, file: string): number | null {
  if (name === null) return null;
  return /^\d+$/.test(name) ? Number(name) : Number(entryOf(name, file)[2]);
}

function groupOf(user: string | null): number | null {
  return user === null || /^\d+$/.test(user) ? null : Number(entryOf(user, '/etc/passwd')[3]);
}

function entryOf(name: string, file: string): string[] {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`${JSON.stringify(name)} must be in ${file}`);
  return line.split(':');
}

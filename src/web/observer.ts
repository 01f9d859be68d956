/** Told of every answer: the access log and the metrics of one worker. Owns the log. */
import type { AnswerEnd, Call } from '../engine/call.ts';

import { lineWriter, type WriteLine } from '../log/access-line.ts';
import { LogFile } from '../log/log-file.ts';
import { Rotator } from '../log/rotation.ts';
import { WorkerMetrics } from '../metrics/shared-metrics.ts';
import { Clients } from './client.ts';
import type { AccessLogConfig } from './config/log-config.ts';
import type { WebConfig } from './config/web-config.ts';
import type { RequestNames } from './request-names.ts';
import type { WebPlace } from './web-app.ts';

export class Observer {
  readonly #clients: Clients;
  readonly #metrics: WorkerMetrics | null;
  readonly #log: LogFile | null;
  readonly #writeLine: WriteLine | null;
  /** null: nothing is left out. */
  readonly #excludes: ReadonlySet<string> | null;
  readonly #names: RequestNames;

  /** null: nobody wants to know. Throws if the log cannot be opened. */
  static open(config: WebConfig, place: WebPlace, names: RequestNames): Observer | null {
    return config.logging.access === null && config.metrics === null ? null : new Observer(config, place, names);
  }

  private constructor({ logging, metrics, server }: WebConfig, place: WebPlace, names: RequestNames) {
    this.#names = names;
    const { access, rotation } = logging;
    this.#clients = new Clients(server.trustedProxies);
    this.#metrics = metrics === null ? null : new WorkerMetrics(place.shared.metrics, place.worker);
    this.#writeLine = access === null ? null : lineWriter(access.format);
    this.#excludes = (access?.excludes.length ?? 0) === 0 ? null : new Set(access?.excludes);
    this.#log = access === null ? null : openLog(access, rotation, place);
  }

  readonly done = (call: Call, end: AnswerEnd): void => {
    this.#metrics?.count(call.method, call.version, end.status, end.bytes, end.ms / 1000, end.isAborted);
    if (this.#log === null || this.#excludes?.has(call.path) === true) return;
    const line = (this.#writeLine as WriteLine)(
      call,
      end,
      this.#clients.addressOf(call),
      this.#names.of(call),
      Date.now(),
    );
    this.#log.append(line);
  };

  countConnections(count: number): void {
    this.#metrics?.setConnections(count);
  }

  async close(): Promise<void> {
    await this.#log?.close();
  }
}

function openLog(access: AccessLogConfig, rotation: WebConfig['logging']['rotation'], place: WebPlace): LogFile {
  const { path, bufferLines, flushMs } = access;
  const { worker, report } = place;
  const rotator = path === null || rotation === null || worker > 0 ? null : new Rotator(path, rotation, report);
  return new LogFile({ path, bufferLines, flushMs, rotator, report });
}

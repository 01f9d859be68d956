/** Asks one upstream at intervals whether it is healthy. Owns its timer, and a connection while it asks. */
import type { Buffer } from 'node:buffer';
import type { ConnectionUser } from './connection-user.ts';
import type { FailureReason } from './failures.ts';
import type { RequestWriter } from './request-writer.ts';
import type { HealthSettings } from './settings.ts';
import type { Upstream } from './upstream.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

export interface HealthChange {
  readonly upstream: string;
  readonly isHealthy: boolean;
  /** What the last check found. */
  readonly detail: string;
}

export class HealthCheck implements ConnectionUser {
  readonly #upstream: Upstream;
  readonly #settings: HealthSettings;
  readonly #onChange: (change: HealthChange) => void;
  readonly #request: Buffer;
  /** Owned: cleared in stop(). */
  #timer: NodeJS.Timeout | null = null;
  /** Owned: closed when it has answered, and in stop(). */
  #connection: UpstreamConnection | null = null;
  /** Results in a row that speak against the present state. */
  #contrary = 0;

  constructor(
    upstream: Upstream,
    settings: HealthSettings,
    writer: RequestWriter,
    onChange: (change: HealthChange) => void,
  ) {
    this.#upstream = upstream;
    this.#settings = settings;
    this.#onChange = onChange;
    this.#request = writer.probe(`${upstream.basePath}${settings.path}`, settings.host ?? upstream.authority);
  }

  /** Checks at once, and from then on at intervals. */
  start(): void {
    this.#check();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#connection?.close();
    this.#connection = null;
  }

  onReady(connection: UpstreamConnection): void {
    connection.beginRequest(false, false);
    connection.write(this.#request);
  }

  onInterim(): void {}

  onHead(): void {
    const { status } = (this.#connection as UpstreamConnection).parser;
    const { from, to } = this.#settings.expected;
    this.#connection?.close();
    this.#finish(status >= from && status <= to, `status ${status}`);
  }

  onContent(): void {}

  onTrailers(): void {}

  onReadEnd(): void {}

  onComplete(): void {}

  onUpgrade(): void {}

  onWritten(): void {}

  onBroken(reason: FailureReason, detail: string): void {
    this.#finish(false, detail === '' ? reason : `${reason}: ${detail}`);
  }

  #check(): void {
    const { clock, counters } = this.#upstream;
    this.#timer = null;
    counters.checks++;
    const connection = this.#upstream.openForCheck(this);
    this.#connection = connection;
    connection.deadline = clock.now + this.#settings.timeoutMs;
  }

  #finish(isGood: boolean, detail: string): void {
    this.#connection = null;
    this.#judge(isGood, detail);
    this.#timer = setTimeout(() => this.#check(), this.#settings.intervalMs);
    this.#timer.unref();
  }

  #judge(isGood: boolean, detail: string): void {
    const { health, counters, own } = this.#upstream;
    if (!isGood) counters.failedChecks++;
    if (isGood === !health.isCheckedDown) {
      this.#contrary = 0;
      return;
    }
    const needed = isGood ? this.#settings.rise : this.#settings.fall;
    if (++this.#contrary < needed) return;
    this.#contrary = 0;
    health.isCheckedDown = !isGood;
    // It has shown that it works.
    if (isGood) health.countSuccess();
    this.#onChange({ upstream: own.url, isHealthy: isGood, detail });
  }
}

/** What every server that `serve()` returns has in common: where it listens, and how it begins and ends once. */
import type { Address } from '../engine/transport.ts';
import { checkShape, type Shape } from '../rules/shape.ts';
import { hostnameOf, portOf, urlOf } from './server-url.ts';
import type { ServeSettings } from './settings.ts';
import { notifyOf, watchSignals } from './signals.ts';

const STOP_SHAPE: Shape = {
  rules: { graceMs: { words: 'a number of milliseconds from 0', holds: (value) => (value as number) >= 0 } },
};

export abstract class ServerLife {
  /** Set by launch(). */
  declare ready: Promise<this>;
  protected readonly settings: ServeSettings;
  /** By listener; empty until it listens. */
  protected opened: readonly Address[] = [];
  protected isReferenced = true;
  /** Resolved when it begins to end. */
  readonly #stopping = Promise.withResolvers<void>();
  /** Set once it ends. */
  #stopped: Promise<void> | null = null;

  protected constructor(settings: ServeSettings) {
    this.settings = settings;
  }

  /** Rejects, with nothing left open, if it cannot begin. */
  protected abstract begin(): Promise<this>;

  /** It was ready, and ends; what is not done after `graceMs` is cut off. */
  protected abstract finish(graceMs: number): Promise<void>;

  /** Nothing is waited for any longer. `isEnding`: a stop that was more patient is under way. */
  protected abstract hurry(isEnding: boolean): void;

  /**
   * The last act of a constructor. Whoever does not wait for `ready` is told of a failure by it alone: an unhandled rejection ends
   * the process, as it should.
   */
  protected launch(): void {
    this.ready = this.begin();
    const { signal, handlesSignals } = this.settings;
    if (signal?.aborted === true) void this.stop();
    else signal?.addEventListener('abort', () => void this.stop(), { once: true });
    if (handlesSignals) {
      watchSignals(() => this.stop());
      void notifyOf(this.ready, this.#stopping.promise);
    }
  }

  get addresses(): readonly Address[] {
    return this.opened;
  }

  get port(): number {
    return portOf(this.settings.listeners, this.opened);
  }

  get hostname(): string {
    return hostnameOf(this.settings.listeners);
  }

  get url(): URL {
    return urlOf(this.settings, this.opened);
  }

  stop(how: boolean | { readonly graceMs: number } = false): Promise<void> {
    if (typeof how === 'object') checkShape(how, '', STOP_SHAPE);
    const { drainMs } = this.settings;
    const graceMs = typeof how === 'object' ? (how.graceMs ?? drainMs) : how ? 0 : drainMs;
    // A second call may be less patient than the first.
    if (how === true) this.hurry(this.#stopped !== null);
    this.#stopping.resolve();
    this.#stopped ??= this.#end(graceMs);
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #end(graceMs: number): Promise<void> {
    try {
      await this.ready;
    } catch {
      return;
    }
    await this.finish(graceMs);
  }
}

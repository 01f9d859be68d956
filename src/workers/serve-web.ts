/**
 * One worker of a web server: what it serves, by which certificates, and what is logged of it. Takes a new configuration while it
 * serves: what is under way is answered by the old one.
 */
import type { SharedCounters } from '../engine/counters.ts';
import type { Listener, Transport } from '../engine/transport.ts';
import { ErrorLog } from '../log/error-log.ts';
import type { ServerTls } from '../tls/server-tls.ts';
import { Observer } from '../web/observer.ts';
import { WebApp, type WebPlace } from '../web/web-app.ts';
import type { Endpoint } from './endpoint.ts';
import type { ServeOptions } from './messages.ts';
import { reportError, textOf } from './report.ts';
import { type Prepared, type Secured, type ServedBy, WebListeners } from './web-listeners.ts';
import type { WebSource } from './worker-app.ts';
import type { WorkerEngine } from './worker-engine.ts';

export interface ServedWeb {
  readonly engine: WebWorker;
  /** The first one. */
  readonly listener: Listener;
  readonly app: WebSource;
}

/** `options.endpoint` is where the first listener listens: whoever starts the worker has made sure of it. */
export async function serveWeb(
  transport: Transport,
  options: ServeOptions & { readonly app: WebSource },
  counters: SharedCounters,
  worker: number,
): Promise<ServedWeb> {
  const made = new WebWorker(transport, options, counters, worker);
  try {
    const app = await made.open(options.app, options.endpoint);
    return { engine: made, listener: made.first, app };
  } catch (error) {
    made.close();
    throw error;
  }
}

export class WebWorker implements WorkerEngine {
  readonly #transport: Transport;
  readonly #options: ServeOptions;
  readonly #worker: number;
  /** Owned: closed when the next one has taken its place, or in close(). */
  #app: WebApp | null = null;
  /** Owned. */
  #observer: Observer | null = null;
  /** Owned; null: stderr. */
  #errors: ErrorLog | null = null;
  /** Its certificates are owned. */
  #tls: Secured | null = null;
  /** Owned. */
  readonly #listeners: WebListeners;
  /** As many as the process has descriptors for, if that is less than the configuration wants. */
  readonly #mostConnections: number;
  #isDraining = false;

  constructor(
    transport: Transport,
    options: ServeOptions & { readonly app: WebSource },
    counters: SharedCounters,
    worker: number,
  ) {
    this.#transport = transport;
    this.#options = options;
    this.#worker = worker;
    const wanted = options.app.config.server.limits.maxConnections;
    const given = options.limits.maxConnections;
    this.#mostConnections = given < wanted ? given : Number.POSITIVE_INFINITY;
    const onTick = () => {
      this.#observer?.countConnections(this.connectionCount);
      this.#app?.publish();
    };
    this.#listeners = new WebListeners({ transport, counters, worker, report: this.#report, onTick });
  }

  get first(): Listener {
    return this.#listeners.first;
  }

  get connectionCount(): number {
    return this.#listeners.connectionCount;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Returns the source with the ports that were chosen. */
  async open(source: WebSource, first: Endpoint): Promise<WebSource> {
    const { config, shared } = source;
    this.#errors = this.#openErrors(source);
    this.#app = await WebApp.open(config, this.#placeOf(source));
    this.#observer = Observer.open(config, this.#placeOf(source), this.#app.names);
    await this.#secure(source);
    const by = this.#servedBy(source, this.#app, this.#observer);
    const prepared = await this.#listeners.prepare(config.listeners, by, first);
    this.#listeners.keep(prepared, by, config.server.drainTimeoutMs);
    this.#app.listensAt(prepared.wanted);
    return { kind: 'web', config: { ...config, listeners: prepared.wanted }, shared };
  }

  /**
   * Serves by this source from now on; throws, and changes nothing, if it cannot. New listeners are opened, those that are gone are
   * drained. Returns the source with the ports that were chosen.
   */
  async take(source: WebSource): Promise<WebSource> {
    const { config } = source;
    const before = { app: this.#app as WebApp, observer: this.#observer, errors: this.#errors };
    const app = await WebApp.open(config, this.#placeOf(source));
    let prepared: Prepared | null = null;
    let certificates: ServerTls | null = null;
    let errors: ErrorLog | null = null;
    let observer: Observer | null;
    try {
      certificates = await this.#secure(source);
      // New listeners serve by it from their first connection on.
      prepared = await this.#listeners.prepare(config.listeners, this.#servedBy(source, app, before.observer), null);
      app.listensAt(prepared.wanted);
      errors = this.#openErrors(source);
      observer = Observer.open(config, this.#placeOf(source), app.names);
    } catch (error) {
      if (prepared !== null) this.#listeners.undo(prepared);
      app.close();
      certificates?.close();
      await errors?.close();
      throw error;
    }
    if (certificates !== null) this.#tls?.certificates.take(certificates);
    this.#app = app;
    this.#observer = observer;
    this.#errors = errors;
    this.#listeners.keep(prepared, this.#servedBy(source, app, observer), config.server.drainTimeoutMs);
    before.app.close();
    await before.observer?.close();
    await before.errors?.close();
    return { ...source, config: { ...config, listeners: prepared.wanted } };
  }

  everyTick(listener: (now: number) => void): void {
    this.#listeners.everyTick(listener);
  }

  announceDrain(): void {
    this.#isDraining = true;
    this.#listeners.announceDrain();
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#isDraining = true;
    await this.#listeners.drain(timeoutMs);
    this.#app?.close();
    this.#tls?.certificates.close();
    await this.#observer?.close();
    await this.#errors?.close();
  }

  closeConnections(): void {
    this.#listeners.closeConnections();
  }

  close(): void {
    this.#isDraining = true;
    this.#listeners.close();
    this.#app?.close();
    this.#tls?.certificates.close();
    void this.#observer?.close();
    void this.#errors?.close();
  }

  /**
   * Sees to it that listeners with TLS can be opened. Returns the certificates that are to replace those in use, or null: there are
   * none in use. Throws, and changes nothing, if there are no certificates to be used.
   */
  async #secure({ config, shared }: WebSource): Promise<ServerTls | null> {
    if (config.tls === null || shared.tickets === null) return null;
    // All workers load the same files: one says what is wrong with them.
    const report = this.#worker === 0 ? this.#report : () => {};
    if (this.#tls !== null) return this.#tls.certificates.prepare(config.tls, shared.tickets, report);
    const { WebTls } = await import('../web/web-tls.ts');
    const { openTlsTransport } = await import('../engine/tls-transport.ts');
    const { openSecure } = await import('../engine/handshake.ts');
    const certificates = new WebTls(config.tls, shared.tickets, report);
    const transport = await openTlsTransport(this.#options.transport);
    const openHttp3 = config.tls.http3
      ? (await import('../http3/http3-listener.ts')).http3Opener(certificates, shared.tickets.bytes)
      : null;
    this.#tls = { certificates, transport, open: openSecure(transport, certificates.choose), openHttp3 };
    return null;
  }

  #openErrors({ config: { logging } }: WebSource): ErrorLog | null {
    const { errorPath: path, rotation } = logging;
    const worker = this.#worker;
    if (path === null) return null;
    const report = (error: unknown) => reportError(worker, error);
    return new ErrorLog({ path, who: `worker ${worker}`, rotation: worker > 0 ? null : rotation, report });
  }

  readonly #report = (error: unknown): void => {
    if (this.#errors === null) reportError(this.#worker, error);
    else this.#errors.append(textOf(error));
  };

  #placeOf({ shared }: WebSource): WebPlace {
    const worker = this.#worker;
    return {
      shared,
      transport: this.#transport,
      worker,
      isDraining: () => this.#isDraining,
      report: this.#report,
    };
  }

  #servedBy({ config }: WebSource, app: WebApp, observer: Observer | null): ServedBy {
    const { limits } = config.server;
    const maxConnections = Math.min(limits.maxConnections, this.#mostConnections);
    return { app, observer, limits: { ...limits, maxConnections }, tls: this.#tls };
  }
}

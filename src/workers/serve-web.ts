/**
 * One worker of a web server: an engine for each listener of its configuration. Owns them; they start, drain and end as one.
 * Takes a new configuration while it serves: what is under way is answered by the old one.
 */
import type { SharedCounters } from '../engine/counters.ts';
import { Engine } from '../engine/engine.ts';
import type { OpenConnection } from '../engine/live-connection.ts';
import type { Listener, Transport } from '../engine/transport.ts';
import type { OpenHttp3 } from '../http3/http3-listener.ts';
import { ErrorLog } from '../log/error-log.ts';
import type { ServerTls } from '../tls/server-tls.ts';
import { METRICS_LISTENER } from '../web/config/metrics-site.ts';
import type { ListenerConfig } from '../web/config/web-config.ts';
import { Observer } from '../web/observer.ts';
import { WebApp, type WebPlace } from '../web/web-app.ts';
import type { WebTls } from '../web/web-tls.ts';
import { claim } from './claim.ts';
import { type Endpoint, listenAt, type WantedEndpoint } from './endpoint.ts';
import type { ServeOptions } from './messages.ts';
import { reportError, textOf } from './report.ts';
import type { WebSource } from './worker-app.ts';
import type { WorkerEngine } from './worker-engine.ts';

export interface ServedWeb {
  readonly engine: WebWorker;
  /** The first one. */
  readonly listener: Listener;
  readonly app: WebSource;
}

interface Secured {
  /** Owned. */
  readonly certificates: WebTls;
  readonly transport: Transport;
  readonly open: OpenConnection;
  /** null: HTTP/3 is not spoken. */
  readonly openHttp3: OpenHttp3 | null;
}

interface Port {
  readonly config: ListenerConfig;
  readonly engine: Engine;
  readonly listener: Listener;
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
  readonly #counters: SharedCounters;
  readonly #worker: number;
  /** Owned: closed when the next one has taken its place, or in close(). */
  #app: WebApp | null = null;
  /** Owned. */
  #observer: Observer | null = null;
  /** Owned; null: stderr. */
  #errors: ErrorLog | null = null;
  #tls: Secured | null = null;
  /** Owned. */
  readonly #ports: Port[] = [];
  #isDraining = false;

  constructor(
    transport: Transport,
    options: ServeOptions & { readonly app: WebSource },
    counters: SharedCounters,
    worker: number,
  ) {
    this.#transport = transport;
    this.#options = options;
    this.#counters = counters;
    this.#worker = worker;
  }

  get first(): Listener {
    return (this.#ports[0] as Port).listener;
  }

  get connectionCount(): number {
    return this.#ports.reduce((sum, { engine }) => sum + engine.connectionCount, 0);
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
    const listeners: ListenerConfig[] = [];
    for (const [index, listener] of config.listeners.entries()) {
      listeners.push(this.#isMine(listener) ? await this.#listen(listener, index === 0 ? first : null) : listener);
    }
    this.#app.listensAt(listeners);
    return { kind: 'web', config: { ...config, listeners }, shared };
  }

  /**
   * Serves by this source from now on; throws, and changes nothing, if it cannot. New listeners are opened, those that are gone are
   * drained. Returns the source with the ports that were chosen.
   */
  async take(source: WebSource): Promise<WebSource> {
    const app = await WebApp.open(source.config, this.#placeOf(source));
    const before = this.#app as WebApp;
    // New listeners serve by it from their first connection on.
    this.#app = app;
    const kept = new Set<Port>();
    const opened: Port[] = [];
    const listeners: ListenerConfig[] = [];
    let observer: Observer | null;
    let certificates: ServerTls | null = null;
    let errors: ErrorLog | null = null;
    try {
      certificates = await this.#secure(source);
      for (const listener of source.config.listeners) {
        if (!this.#isMine(listener)) continue;
        const known = this.#ports.find((port) => !kept.has(port) && isSamePlace(port.config, listener));
        if (known !== undefined) kept.add(known);
        listeners.push(
          known === undefined ? await this.#listen(listener, null) : { ...listener, port: known.config.port },
        );
        if (known === undefined) opened.push(this.#ports.at(-1) as Port);
      }
      app.listensAt(listeners);
      errors = this.#openErrors(source);
      observer = Observer.open(source.config, this.#placeOf(source), app.names);
    } catch (error) {
      this.#app = before;
      for (const port of opened) this.#close(port);
      app.close();
      certificates?.close();
      await errors?.close();
      throw error;
    }
    if (certificates !== null) this.#tls?.certificates.take(certificates);
    const oldObserver = this.#observer;
    const oldErrors = this.#errors;
    this.#observer = observer;
    this.#errors = errors;
    for (const port of [...this.#ports]) {
      const index = source.config.listeners.findIndex(({ name }) => name === port.config.name);
      const listener = listeners[index];
      if (listener !== undefined && (kept.has(port) || opened.includes(port))) {
        port.engine.handler = app.handlerFor(listener);
        port.engine.done = isWatched(listener) ? (observer?.done ?? null) : null;
        port.engine.takeLimits(source.config.server.limits);
        continue;
      }
      this.#ports.splice(this.#ports.indexOf(port), 1);
      void port.engine.drain(source.config.server.drainTimeoutMs).then(() => port.engine.close());
    }
    before.close();
    await oldObserver?.close();
    await oldErrors?.close();
    return { ...source, config: { ...source.config, listeners } };
  }

  /** The kernel spreads no connections among those who listen on a Unix socket. */
  #isMine(listener: ListenerConfig): boolean {
    return listener.unixPath === null || this.#worker === 0;
  }

  everyTick(listener: (now: number) => void): void {
    for (const { engine } of this.#ports) engine.everyTick(listener);
  }

  announceDrain(): void {
    this.#isDraining = true;
    for (const { engine } of this.#ports) engine.announceDrain();
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#isDraining = true;
    await Promise.all(this.#ports.map(({ engine }) => engine.drain(timeoutMs)));
    this.#app?.close();
    this.#tls?.certificates.close();
    await this.#observer?.close();
    await this.#errors?.close();
  }

  closeConnections(): void {
    for (const { engine } of this.#ports) engine.closeConnections();
  }

  close(): void {
    this.#isDraining = true;
    for (const port of [...this.#ports]) this.#close(port);
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
    const report = this.#report;
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

  #close(port: Port): void {
    port.engine.close();
    this.#ports.splice(this.#ports.indexOf(port), 1);
  }

  async #listen(config: ListenerConfig, claimed: Endpoint | null): Promise<ListenerConfig> {
    const worker = this.#worker;
    const tls = config.isTls ? this.#tls : null;
    const engine = new Engine({
      handler: (this.#app as WebApp).handlerFor(config),
      limits: this.#options.limits,
      transport: tls?.transport ?? this.#transport,
      openHttp2: (await import('../engine/http2-connection.ts')).openHttp2,
      counters: this.#counters,
      worker,
      report: this.#report,
      ...(this.#observer === null || !isWatched(config) ? {} : { done: this.#observer.done }),
    });
    engine.everyTick(() => {
      this.#observer?.countConnections(this.connectionCount);
      this.#app?.publish();
    });
    const listener =
      claimed === null
        ? await this.#claim(config, (endpoint) => listenAt(engine, endpoint, tls?.open))
        : await listenAt(engine, claimed, tls?.open);
    if (tls !== null && config.unixPath === null) {
      await tls.openHttp3?.(engine, { address: listener.address, port: listener.port, reusePort: true });
    }
    const chosen = { ...config, port: listener.port };
    this.#ports.push({ config: chosen, engine, listener });
    return chosen;
  }

  /** The first worker makes sure that nobody else has the port; the others join it. */
  #claim(
    { port, unixPath, address }: ListenerConfig,
    take: (endpoint: Endpoint) => Promise<Listener>,
  ): Promise<Listener> {
    const sharesPort = this.#worker > 0;
    return claim(this.#transport, { endpoint: endpointOf({ port, unixPath, address }), sharesPort }, take);
  }
}

export function endpointOf({
  port,
  unixPath,
  address,
}: Pick<ListenerConfig, 'port' | 'unixPath' | 'address'>): WantedEndpoint {
  if (unixPath !== null) return { kind: 'unix', path: unixPath, ticket: null };
  return address === null ? { kind: 'everywhere', port } : { kind: 'tcp', address, port };
}

/** Port 0 stays where it is. */
function isSamePlace(one: ListenerConfig, other: ListenerConfig): boolean {
  return (
    one.unixPath === other.unixPath &&
    one.isTls === other.isTls &&
    one.address === other.address &&
    (one.port === other.port || (other.port === 0 && one.name === other.name))
  );
}

/** Who watches the server is no client of it. */
function isWatched({ name }: ListenerConfig): boolean {
  return name !== METRICS_LISTENER;
}

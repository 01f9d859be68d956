/**
 * One worker of a web server: an engine for each listener of its configuration. Owns them; they start, drain and end as one.
 * Takes a new configuration while it serves: what is under way is answered by the old one.
 */
import type { SharedCounters } from '../engine/counters.ts';
import { Engine } from '../engine/engine.ts';
import type { Listener, Transport } from '../engine/transport.ts';
import type { ListenerConfig } from '../web/config/web-config.ts';
import { WebApp } from '../web/web-app.ts';
import { claim } from './claim.ts';
import { type Endpoint, listenAt, type WantedEndpoint } from './endpoint.ts';
import type { ServeOptions } from './messages.ts';
import { reportError } from './report.ts';
import type { WebSource } from './worker-app.ts';
import type { WorkerEngine } from './worker-engine.ts';

export interface ServedWeb {
  readonly engine: WebWorker;
  /** The first one. */
  readonly listener: Listener;
  readonly app: WebSource;
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
    const app = await made.open(options.endpoint);
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
  #source: WebSource;
  /** Owned: closed when the next one has taken its place, or in close(). */
  #app: WebApp;
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
    this.#source = options.app;
    this.#app = new WebApp(options.app.config, options.app.shared);
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
  async open(first: Endpoint): Promise<WebSource> {
    const { config, shared } = this.#source;
    const listeners: ListenerConfig[] = [];
    for (const [index, listener] of config.listeners.entries()) {
      listeners.push(this.#isMine(listener) ? await this.#listen(listener, index === 0 ? first : null) : listener);
    }
    this.#source = { kind: 'web', config: { ...config, listeners }, shared };
    return this.#source;
  }

  /**
   * Serves by this source from now on; throws, and changes nothing, if it cannot. New listeners are opened, those that are gone are
   * drained. Returns the source with the ports that were chosen.
   */
  async take(source: WebSource): Promise<WebSource> {
    const app = new WebApp(source.config, source.shared);
    const kept = new Set<Port>();
    const opened: Port[] = [];
    const listeners: ListenerConfig[] = [];
    try {
      for (const listener of source.config.listeners) {
        if (!this.#isMine(listener)) continue;
        const known = this.#ports.find((port) => !kept.has(port) && isSamePlace(port.config, listener));
        if (known !== undefined) kept.add(known);
        listeners.push(
          known === undefined ? await this.#listen(listener, null) : { ...listener, port: known.config.port },
        );
        if (known === undefined) opened.push(this.#ports.at(-1) as Port);
      }
    } catch (error) {
      for (const port of opened) this.#close(port);
      app.close();
      throw error;
    }
    const old = this.#app;
    this.#app = app;
    this.#source = { ...source, config: { ...source.config, listeners } };
    for (const port of [...this.#ports]) {
      const index = source.config.listeners.findIndex(({ name }) => name === port.config.name);
      const listener = listeners[index];
      if (listener !== undefined && (kept.has(port) || opened.includes(port))) {
        port.engine.handler = app.handlerFor(listener);
        port.engine.takeLimits(source.config.server.limits);
        continue;
      }
      this.#ports.splice(this.#ports.indexOf(port), 1);
      void port.engine.drain(source.config.server.drainTimeoutMs).then(() => port.engine.close());
    }
    old.close();
    return this.#source;
  }

  /** The kernel spreads no connections among those who listen on a Unix socket. */
  #isMine(listener: ListenerConfig): boolean {
    return listener.unixPath === null || this.#worker === 0;
  }

  everyTick(listener: (now: number) => void): void {
    for (const { engine } of this.#ports) engine.everyTick(listener);
  }

  announceDrain(): void {
    for (const { engine } of this.#ports) engine.announceDrain();
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#isDraining = true;
    await Promise.all(this.#ports.map(({ engine }) => engine.drain(timeoutMs)));
    this.#app.close();
  }

  closeConnections(): void {
    for (const { engine } of this.#ports) engine.closeConnections();
  }

  close(): void {
    this.#isDraining = true;
    for (const port of [...this.#ports]) this.#close(port);
    this.#app.close();
  }

  #close(port: Port): void {
    port.engine.close();
    this.#ports.splice(this.#ports.indexOf(port), 1);
  }

  async #listen(config: ListenerConfig, claimed: Endpoint | null): Promise<ListenerConfig> {
    const worker = this.#worker;
    const engine = new Engine({
      handler: this.#app.handlerFor(config),
      limits: this.#options.limits,
      transport: this.#transport,
      counters: this.#counters,
      worker,
      report: (error) => reportError(worker, error),
    });
    const listener =
      claimed === null
        ? await this.#claim(config, (endpoint) => listenAt(engine, endpoint))
        : await listenAt(engine, claimed);
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
  if (unixPath !== null) return { kind: 'unix', path: unixPath };
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

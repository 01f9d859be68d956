/** The listeners of one worker of a web server, with an engine for each. Owns them; they start, drain and end as one. */
import type { SharedCounters } from '../engine/counters.ts';
import { Engine } from '../engine/engine.ts';
import type { EngineLimits } from '../engine/limits.ts';
import type { OpenConnection } from '../engine/live-connection.ts';
import type { Listener, Transport } from '../engine/transport.ts';
import type { OpenHttp3 } from '../http3/http3-listener.ts';
import { METRICS_LISTENER } from '../web/config/metrics-site.ts';
import type { ListenerConfig } from '../web/config/web-config.ts';
import type { Observer } from '../web/observer.ts';
import type { WebApp } from '../web/web-app.ts';
import type { WebTls } from '../web/web-tls.ts';
import { claim } from './claim.ts';
import { type Endpoint, listenAt, type WantedEndpoint } from './endpoint.ts';

/** What serves on them. */
export interface ServedBy {
  readonly app: WebApp;
  readonly observer: Observer | null;
  readonly limits: EngineLimits;
  /** null: no listener speaks TLS. */
  readonly tls: Secured | null;
}

export interface Secured {
  /** Owned by whoever made it. */
  readonly certificates: WebTls;
  readonly transport: Transport;
  readonly open: OpenConnection;
  /** null: HTTP/3 is not spoken. */
  readonly openHttp3: OpenHttp3 | null;
}

export interface ListenersOptions {
  readonly transport: Transport;
  readonly counters: SharedCounters;
  readonly worker: number;
  readonly report: (error: unknown) => void;
  /** Called while somebody is connected, several times a second. */
  readonly onTick: () => void;
}

interface Port {
  readonly engine: Engine;
  readonly listener: Listener;
  /** With the port that was chosen. */
  config: ListenerConfig;
}

/** What there will be: made by `prepare`, and then either kept or undone. */
export interface Prepared {
  readonly wanted: readonly ListenerConfig[];
  readonly ports: ReadonlyMap<Port, ListenerConfig>;
  readonly opened: readonly Port[];
}

export class WebListeners {
  readonly #options: ListenersOptions;
  /** Owned. */
  #ports: Port[] = [];
  readonly #onTick: ((now: number) => void)[] = [];

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  get first(): Listener {
    return (this.#ports[0] as Port).listener;
  }

  get connectionCount(): number {
    return this.#ports.reduce((sum, { engine }) => sum + engine.connectionCount, 0);
  }

  /**
   * Opens those that are not there yet, and leaves the others as they are. `first`: where the first one listens, if somebody has made
   * sure of it already. Rejects, and changes nothing, if one cannot be opened.
   */
  async prepare(wanted: readonly ListenerConfig[], by: ServedBy, first: Endpoint | null): Promise<Prepared> {
    const ports = new Map<Port, ListenerConfig>();
    const opened: Port[] = [];
    const chosen: ListenerConfig[] = [];
    try {
      for (const [index, listener] of wanted.entries()) {
        if (!this.#isMine(listener)) {
          chosen.push(listener);
          continue;
        }
        const known = this.#ports.find((port) => !ports.has(port) && isSamePlace(port.config, listener));
        const port = known ?? (await this.#open(listener, by, index === 0 ? first : null));
        if (known === undefined) opened.push(port);
        const config = { ...listener, port: port.listener.port };
        ports.set(port, config);
        chosen.push(config);
      }
      return { wanted: chosen, ports, opened };
    } catch (error) {
      for (const { engine } of opened) engine.close();
      throw error;
    }
  }

  undo({ opened }: Prepared): void {
    for (const { engine } of opened) engine.close();
  }

  /** Those that nobody wants any more are drained. */
  keep({ ports }: Prepared, { app, observer, limits }: ServedBy, drainTimeoutMs: number): void {
    for (const port of this.#ports) {
      if (!ports.has(port)) void port.engine.drain(drainTimeoutMs).then(() => port.engine.close());
    }
    this.#ports = [...ports.keys()];
    for (const [port, config] of ports) {
      port.config = config;
      port.engine.handler = app.handlerFor(config);
      port.engine.done = isWatched(config) ? (observer?.done ?? null) : null;
      port.engine.takeLimits(limits);
    }
  }

  everyTick(listener: (now: number) => void): void {
    this.#onTick.push(listener);
    for (const { engine } of this.#ports) engine.everyTick(listener);
  }

  announceDrain(): void {
    for (const { engine } of this.#ports) engine.announceDrain();
  }

  async drain(timeoutMs: number): Promise<void> {
    await Promise.all(this.#ports.map(({ engine }) => engine.drain(timeoutMs)));
  }

  closeConnections(): void {
    for (const { engine } of this.#ports) engine.closeConnections();
  }

  close(): void {
    for (const { engine } of this.#ports) engine.close();
    this.#ports = [];
  }

  /** The kernel spreads no connections among those who listen on a Unix socket. */
  #isMine({ unixPath }: ListenerConfig): boolean {
    return unixPath === null || this.#options.worker === 0;
  }

  async #open(config: ListenerConfig, by: ServedBy, claimed: Endpoint | null): Promise<Port> {
    const { transport, counters, worker, report, onTick } = this.#options;
    const tls = config.isTls ? by.tls : null;
    const engine = new Engine({
      handler: by.app.handlerFor(config),
      limits: by.limits,
      transport: tls?.transport ?? transport,
      openHttp2: (await import('../engine/http2-connection.ts')).openHttp2,
      counters,
      worker,
      report,
      ...(by.observer === null || !isWatched(config) ? {} : { done: by.observer.done }),
    });
    try {
      engine.everyTick(onTick);
      for (const listener of this.#onTick) engine.everyTick(listener);
      const listener =
        claimed === null
          ? await this.#claim(config, (endpoint) => listenAt(engine, endpoint, tls?.open))
          : await listenAt(engine, claimed, tls?.open);
      if (tls !== null && config.unixPath === null) {
        await tls.openHttp3?.(engine, { address: listener.address, port: listener.port, reusePort: true });
      }
      return { engine, listener, config };
    } catch (error) {
      engine.close();
      throw error;
    }
  }

  /** The first worker makes sure that nobody else has the port; the others join it. */
  #claim(
    { port, unixPath, address }: ListenerConfig,
    take: (endpoint: Endpoint) => Promise<Listener>,
  ): Promise<Listener> {
    const sharesPort = this.#options.worker > 0;
    return claim(this.#options.transport, { endpoint: endpointOf({ port, unixPath, address }), sharesPort }, take);
  }
}

function endpointOf({
  port,
  unixPath,
  address,
}: Pick<ListenerConfig, 'port' | 'unixPath' | 'address'>): WantedEndpoint {
  if (unixPath !== null) return { kind: 'unix', path: unixPath, ticket: null };
  return address === null ? { kind: 'everywhere', port } : { kind: 'tcp', address, port };
}

/** Whatever it is called. Port 0 stays where it is. */
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

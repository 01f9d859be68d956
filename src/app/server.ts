/** What `serve()` returns: a server from its start to its end. Owns this worker's engine and, in worker 0, the other workers. */
import type { MakeClock } from '../engine/clock.ts';
import { pendingRequestsOf, webSocketsOf } from '../engine/counters.ts';
import type { Engine } from '../engine/engine.ts';
import type { Content } from '../engine/stream-reply.ts';
import type { Address, Transport } from '../engine/transport.ts';
import { Headers, Origin, sourceOf } from '../fetch/index.ts';
import type { SharedTls } from '../tls/server-tls.ts';
import { offeredProtocols } from '../websocket/handshake.ts';
import type { App, Server, UpgradeOptions } from './app.ts';
import { AppCall } from './app-call.ts';
import { AppEngine } from './app-engine.ts';
import { checkedApp } from './check-app.ts';
import type { Crew } from './crew.ts';
import { makeHandler } from './dispatch.ts';
import { addressOfEndpoint, type Endpoint, openListener } from './listeners.ts';
import { type Beginning, prepareListening } from './listening.ts';
import { ServerLife } from './server-life.ts';
import { authorityOf } from './server-url.ts';
import type { ServeSettings } from './settings.ts';
import type { WorkerPlace } from './worker-place.ts';

/** For handlers that are made only to see that the app can work. */
const NO_ORIGIN = new Origin('http', 'localhost');

/** Starts the other workers, once it is known where the first one listens. */
export type StartCrew = (endpoints: readonly Endpoint[], tls: SharedTls | null) => Promise<Crew>;

export interface ServerParts {
  readonly place: WorkerPlace;
  /** Null: this worker is alone, or not the first. */
  readonly startCrew: StartCrew | null;
  /** Where the first worker listens, by listener; null: this is the first. */
  readonly given?: readonly Endpoint[] | null;
  /** It never listens: in this thread, another server of the same module does. */
  readonly isInert?: boolean;
  /** How its connections begin; by default as the settings say. */
  readonly begin?: () => Promise<Beginning>;
  readonly makeClock?: MakeClock;
}

export class AppServer<S> extends ServerLife implements Server<S> {
  readonly #parts: ServerParts;
  #app: App<S>;
  #running: AppEngine<S> | null = null;
  #crew: Crew | null = null;
  #endpoints: readonly Endpoint[] = [];

  /** Throws for an app that cannot work. */
  constructor(app: App<S>, settings: ServeSettings, parts: ServerParts) {
    super(settings);
    this.#app = app;
    this.#parts = parts;
    makeHandler(app, this, NO_ORIGIN);
    this.launch();
  }

  get state(): S {
    if (this.#running === null) throw new Error('a server has no state before it is ready');
    return this.#running.state;
  }

  get pendingRequests(): number {
    return pendingRequestsOf(this.#parts.place.counters);
  }

  get pendingWebSockets(): number {
    this.#running?.countWebSockets();
    return webSocketsOf(this.#parts.place.counters);
  }

  reload(given: App<S>): Promise<void> {
    const app = checkedApp(given);
    makeHandler(app, this, NO_ORIGIN);
    this.#app = app;
    this.#running?.use(app, this.#authority);
    return this.#crew?.replace(this.settings.drainMs) ?? Promise.resolve();
  }

  ref(): void {
    this.isReferenced = true;
    this.#running?.ref();
  }

  unref(): void {
    this.isReferenced = false;
    this.#running?.unref();
  }

  requestIP(request: Request): Address | null {
    try {
      return sourceOf(request) === null ? null : callOf(request).remote;
    } catch {
      return null;
    }
  }

  timeout(request: Request, seconds: number): void {
    callOf(request).timeout(seconds * 1000);
  }

  upgrade<D>(request: Request, options: UpgradeOptions<D> = {}): boolean {
    const { websocket } = this.#app;
    if (websocket === undefined) throw new TypeError('websocket must be given to serve() for server.upgrade()');
    const call = callOf(request);
    const fields: [string, string][] = [];
    let { protocol } = options;
    if (options.headers !== undefined) {
      for (const [name, value] of new Headers(options.headers) as unknown as Iterable<[string, string]>) {
        if (name === 'sec-websocket-protocol') protocol ??= value;
        else fields.push([name, value]);
      }
    }
    // As Bun does: browsers fail a connection for which none of theirs is chosen.
    protocol ??= offeredProtocols(call.header('sec-websocket-protocol'))[0];
    const reply = call.accept(websocket, options.data, protocol === undefined ? { fields } : { protocol, fields });
    if (reply.status !== 101) return false;
    call.upgrade = reply;
    return true;
  }

  /** This worker's, once it listens; for whoever has started the worker. */
  get engine(): Engine {
    if (this.#running === null) throw new Error('a server has no engine before it is ready');
    return this.#running.engine;
  }

  /** As other workers are told; for whoever has started the worker. */
  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  publish(topic: string, data: Content, compress?: boolean): number {
    return this.#running?.upgrades.sockets.channels.publish(topic, data, compress) ?? 0;
  }

  subscriberCount(topic: string): number {
    return this.#running?.upgrades.sockets.channels.subscriberCount(topic) ?? 0;
  }

  protected async begin(): Promise<this> {
    const { place, startCrew } = this.#parts;
    if (this.#parts.isInert === true) return this;
    const beginning = await (this.#parts.begin ?? (() => prepareListening(this.settings, place)))();
    const { transport, tls } = beginning;
    const { makeClock } = this.#parts;
    let running: AppEngine<S>;
    try {
      running = await AppEngine.start(this.#app, this, this.settings, { place, beginning, makeClock });
    } catch (error) {
      beginning.close();
      throw error;
    }
    try {
      const endpoints = await this.#listen(running, transport);
      running.use(this.#app, this.#authority);
      this.#running = running;
      if (!this.isReferenced) running.unref();
      if (startCrew !== null) this.#crew = await startCrew(endpoints, tls);
    } catch (error) {
      await running.end(0);
      throw error;
    }
    return this;
  }

  /** Resolves with where it listens. */
  async #listen(running: AppEngine<S>, transport: Transport): Promise<Endpoint[]> {
    const { place, given = null } = this.#parts;
    const addresses: Address[] = [];
    const endpoints: Endpoint[] = [];
    for (const [index, wanted] of this.settings.listeners.entries()) {
      const opened = await openListener(running, transport, place, wanted, given?.[index] ?? null);
      // Where only the first worker listens, it is the same address.
      const endpoint = opened?.endpoint ?? (given?.[index] as Endpoint);
      addresses.push(opened?.address ?? addressOfEndpoint(endpoint));
      endpoints.push(endpoint);
    }
    this.opened = addresses;
    this.#endpoints = endpoints;
    return endpoints;
  }

  get #authority(): string {
    return authorityOf(this.settings.listeners, this.opened);
  }

  protected hurry(): void {
    this.#running?.cutOff();
  }

  protected async finish(graceMs: number): Promise<void> {
    await Promise.all([this.#running?.end(graceMs), this.#crew?.end(graceMs)]);
  }
}

function callOf(request: Request): AppCall {
  const source = sourceOf(request);
  if (!(source instanceof AppCall)) throw new TypeError('the request must be one that the handler was given');
  return source;
}

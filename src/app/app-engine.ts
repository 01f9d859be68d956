/** One worker's engine with an app on it: start, listening, end. Owns the engine, its WebSockets, and the app's state. */
import type { MakeClock } from '../engine/clock.ts';
import { setWebSockets } from '../engine/counters.ts';
import type { OpenDatagrams } from '../engine/datagrams.ts';
import { Engine } from '../engine/engine.ts';
import type { OpenConnection } from '../engine/live-connection.ts';
import type { Listener, ListenOptions } from '../engine/transport.ts';
import { Origin } from '../fetch/index.ts';
import type { Http3Place } from '../http3/http3-listener.ts';
import type { ThreadRelay } from '../websocket/thread-relay.ts';
import { reportError } from '../workers/report.ts';
import type { App, Server } from './app.ts';
import { AppCall, type CallHost } from './app-call.ts';
import { makeHandler } from './dispatch.ts';
import { ForwardedOrigin } from './forwarded-origin.ts';
import type { Beginning } from './listening.ts';
import type { ServeSettings } from './settings.ts';
import { EngineSockets, Upgrades } from './upgrades.ts';
import type { WorkerPlace } from './worker-place.ts';

export interface EngineParts {
  readonly place: WorkerPlace;
  readonly beginning: Beginning;
  readonly makeClock: MakeClock | undefined;
}

export class AppEngine<S> {
  readonly engine: Engine;
  readonly upgrades: Upgrades;
  readonly state: S;
  readonly #server: Server<S>;
  readonly #settings: ServeSettings;
  /** Owned: closed in cutOff(). */
  readonly #beginning: Beginning;
  /** Owned: closed in `end`. */
  readonly #relay: ThreadRelay | null;
  /** Whose `stop` gets the state. */
  readonly #startedApp: App<S>;
  readonly #place: WorkerPlace;
  readonly #listeners: Pick<Listener, 'ref' | 'unref'>[] = [];
  /** Owned: closed in `end` and `cutOff`. */
  #datagrams: OpenDatagrams[] = [];

  private constructor(
    app: App<S>,
    server: Server<S>,
    settings: ServeSettings,
    { place, beginning, makeClock }: EngineParts,
    state: S,
  ) {
    this.state = state;
    this.#server = server;
    this.#settings = settings;
    this.#startedApp = app;
    this.#beginning = beginning;
    const { transport, openHttp2 } = beginning;
    const report = (error: unknown) => reportError(place.index, error);
    this.engine = new Engine({
      handler: notYet,
      limits: settings.limits,
      transport,
      counters: place.counters,
      worker: place.slot,
      report,
      state,
      makeView: () => new AppCall(host),
      openHttp2,
      ...(makeClock === undefined ? {} : { makeClock }),
    });
    const { engine } = this;
    this.#place = place;
    this.#relay = place.openRelay?.((news) => sockets.channels.receive(news)) ?? null;
    const sockets = new EngineSockets({
      transport,
      clock: engine.clock,
      report,
      workerName: place.name,
      relay: this.#relay,
    });
    this.upgrades = new Upgrades(sockets);
    if (place.count > 1) engine.everyTick(() => this.countWebSockets());
    const host: CallHost = { upgrades: this.upgrades, proxies: settings.proxies };
  }

  /** Calls the app's `start`. */
  static async start<S>(
    app: App<S>,
    server: Server<S>,
    settings: ServeSettings,
    parts: EngineParts,
  ): Promise<AppEngine<S>> {
    const { place } = parts;
    const state = (await app.start?.({ index: place.index, count: place.count })) as S;
    return new AppEngine(app, server, settings, parts, state);
  }

  /** Without `open`, connections begin as the settings say. */
  async listen(options: ListenOptions, open: OpenConnection | undefined): Promise<Listener> {
    const listener = await this.engine.listen(options, open ?? this.#beginning.open);
    this.#listeners.push(listener);
    return listener;
  }

  async listenHttp3(place: Http3Place): Promise<void> {
    await this.#beginning.openHttp3?.(this.engine, place);
  }

  addDatagrams(open: OpenDatagrams): void {
    this.#datagrams.push(open);
    this.#listeners.push(open);
  }

  get report(): (error: unknown) => void {
    return this.engine.report;
  }

  /** From now on requests go to this app. `authority` is the server's own, for requests without a Host. */
  use(app: App<S>, authority: string): void {
    const { proxies, tls } = this.#settings;
    const scheme = tls === null ? 'http' : 'https';
    const origin = proxies === null ? new Origin(scheme, authority) : new ForwardedOrigin(scheme, authority);
    this.engine.handler = makeHandler(app, this.#server, origin);
    const { done } = app;
    this.engine.done = done === undefined ? null : (call, end) => done.call(app, call as AppCall as never, end);
  }

  ref(): void {
    for (const listener of this.#listeners) listener.ref();
  }

  unref(): void {
    for (const listener of this.#listeners) listener.unref();
  }

  /** Tells the other workers how many WebSockets there are here. */
  countWebSockets(): void {
    const { counters, slot } = this.#place;
    setWebSockets(counters, slot, this.upgrades.sockets.count);
  }

  /** Ends after `graceMs` at the latest; `stop` of the app comes last. */
  async end(graceMs: number): Promise<void> {
    this.#closeDatagrams();
    await this.engine.drain(graceMs);
    this.cutOff();
    await this.#startedApp.stop?.(this.state);
  }

  cutOff(): void {
    this.#closeDatagrams();
    this.engine.close();
    this.#beginning.close();
    this.upgrades.sockets.terminateAll();
    this.#relay?.close();
  }

  #closeDatagrams(): void {
    for (const open of this.#datagrams) open.close();
    this.#datagrams = [];
  }
}

function notYet(): never {
  throw new Error('the server does not listen yet');
}

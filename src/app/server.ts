/** What `serve()` returns: a server from its start to its end. Owns this worker's engine and, in worker 0, the other workers. */
import type { MakeClock } from '../engine/clock.ts';
import { addressOfHost } from '../engine/host-address.ts';
import { removeStaleSocket } from '../engine/stale-socket.ts';
import type { Content } from '../engine/stream-reply.ts';
import type { Address, ListenOptions, Transport } from '../engine/transport.ts';
import { Headers, Origin, sourceOf } from '../fetch/index.ts';
import type { SharedTls } from '../tls/server-tls.ts';
import { offeredProtocols } from '../websocket/handshake.ts';
import type { App, Server, UpgradeOptions } from './app.ts';
import { AppCall } from './app-call.ts';
import { AppEngine } from './app-engine.ts';
import { makeHandler } from './dispatch.ts';
import { type Beginning, prepareListening } from './listening.ts';
import type { ServeSettings } from './settings.ts';
import { watchSignals } from './signals.ts';
import type { WorkerPlace } from './worker-place.ts';

/** Requested length of the accept queue. */
const BACKLOG = 4096;
/** What a default address falls back on if there is no IPv6. */
const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/** For handlers that are made only to see that the app can work. */
const NO_ORIGIN = new Origin('http', 'localhost');

/** The other workers. */
export interface Crew {
  end(graceMs: number): Promise<void>;
}

/** Starts the other workers, once it is known where the first one listens. */
export type StartCrew = (port: number, tls: SharedTls | null) => Promise<Crew>;

export interface ServerParts {
  readonly place: WorkerPlace;
  /** Null: this worker is alone, or not the first. */
  readonly startCrew: StartCrew | null;
  /** It never listens: in this thread, another server of the same module does. */
  readonly isInert?: boolean;
  /** How its connections begin; by default as the settings say. */
  readonly begin?: () => Promise<Beginning>;
  readonly makeClock?: MakeClock;
}

export class AppServer<S> implements Server<S> {
  readonly ready: Promise<this>;
  readonly #settings: ServeSettings;
  readonly #parts: ServerParts;
  #app: App<S>;
  #running: AppEngine<S> | null = null;
  #crew: Crew | null = null;
  #port: number;
  #isReferenced = true;
  /** Set once it ends. */
  #stopped: Promise<void> | null = null;

  /** Throws for an app that cannot work. */
  constructor(app: App<S>, settings: ServeSettings, parts: ServerParts) {
    this.#app = app;
    this.#settings = settings;
    this.#parts = parts;
    this.#port = settings.unix === null ? settings.port : 0;
    makeHandler(app, this, NO_ORIGIN);
    this.ready = this.#begin();
    // Whoever does not wait for it is told by `ready` alone if it fails; an unhandled rejection ends the process as it should.
    const { signal } = settings;
    if (signal?.aborted === true) void this.stop();
    else signal?.addEventListener('abort', () => void this.stop(), { once: true });
    if (settings.handlesSignals) watchSignals(() => this.stop());
  }

  get port(): number {
    return this.#port;
  }

  get hostname(): string {
    return this.#settings.hostname ?? 'localhost';
  }

  get url(): URL {
    const { unix } = this.#settings;
    const scheme = this.#settings.tls === null ? 'http' : 'https';
    return unix === null ? new URL(`${scheme}://${this.#authority}/`) : new URL(`unix://${unix}`);
  }

  get state(): S {
    if (this.#running === null) throw new Error('a server has no state before it is ready');
    return this.#running.state;
  }

  get pendingRequests(): number {
    return this.#running?.engine.pendingRequests ?? 0;
  }

  get pendingWebSockets(): number {
    return this.#running?.upgrades.sockets.count ?? 0;
  }

  stop(how: boolean | { readonly graceMs: number } = false): Promise<void> {
    const graceMs = typeof how === 'object' ? how.graceMs : how ? 0 : this.#settings.drainMs;
    // A second call may be less patient than the first.
    if (how === true) this.#running?.cutOff();
    this.#stopped ??= this.#end(graceMs);
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  reload(app: App<S>): void {
    makeHandler(app, this, NO_ORIGIN);
    this.#app = app;
    this.#running?.use(app, this.#authority);
  }

  ref(): void {
    this.#isReferenced = true;
    this.#running?.ref();
  }

  unref(): void {
    this.#isReferenced = false;
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

  publish(topic: string, data: Content, compress?: boolean): number {
    return this.#running?.upgrades.sockets.channels.publish(topic, data, compress) ?? 0;
  }

  subscriberCount(topic: string): number {
    return this.#running?.upgrades.sockets.channels.subscriberCount(topic) ?? 0;
  }

  /** As clients write it. */
  get #authority(): string {
    const { hostname, unix } = this.#settings;
    if (unix !== null) return 'localhost';
    const isAny = hostname === null || hostname === '0.0.0.0' || hostname === '::';
    const host = isAny ? 'localhost' : hostname.includes(':') ? `[${hostname}]` : hostname;
    return `${host}:${this.#port}`;
  }

  async #begin(): Promise<this> {
    const { place, startCrew } = this.#parts;
    if (this.#parts.isInert === true) return this;
    const beginning = await (this.#parts.begin ?? (() => prepareListening(this.#settings, place)))();
    const { transport, tls } = beginning;
    const { makeClock } = this.#parts;
    let running: AppEngine<S>;
    try {
      running = await AppEngine.start(this.#app, this, this.#settings, { place, beginning, makeClock });
    } catch (error) {
      beginning.close();
      throw error;
    }
    try {
      const listener = await this.#listen(running, transport);
      this.#port = listener.port;
      running.use(this.#app, this.#authority);
      this.#running = running;
      if (!this.#isReferenced) running.unref();
      if (startCrew !== null) this.#crew = await startCrew(this.#port, tls);
    } catch (error) {
      await running.end(0);
      throw error;
    }
    return this;
  }

  async #listen(running: AppEngine<S>, transport: Transport): Promise<{ readonly port: number }> {
    const { hostname, unix } = this.#settings;
    if (unix !== null) {
      await removeStaleSocket(unix);
      return running.listen({ path: unix, backlog: BACKLOG });
    }
    const address = hostname === null ? '::' : await addressOfHost(hostname);
    try {
      return await this.#listenOn(running, transport, address);
    } catch (error) {
      if (hostname !== null || !NO_IPV6.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      return await this.#listenOn(running, transport, '0.0.0.0');
    }
  }

  async #listenOn(running: AppEngine<S>, transport: Transport, address: string): Promise<{ readonly port: number }> {
    const { index, count } = this.#parts.place;
    const reusePort = count > 1;
    // SO_REUSEPORT would join another server of the same user without a word.
    if (reusePort && index === 0 && this.#port !== 0) await transport.assertFree(address, this.#port);
    const options: ListenOptions = { address, port: this.#port, backlog: BACKLOG, reusePort };
    return running.listen(options);
  }

  async #end(graceMs: number): Promise<void> {
    try {
      await this.ready;
    } catch {
      return;
    }
    await Promise.all([this.#running?.end(graceMs), this.#crew?.end(graceMs)]);
  }
}

function callOf(request: Request): AppCall {
  const source = sourceOf(request);
  if (!(source instanceof AppCall)) throw new TypeError('the request must be one that the handler was given');
  return source;
}

/** What `serve()` returns if workers are processes: the manager of a server from its start to its end. Owns the addresses and the workers. */
import { type Reservation, reservePort, reserveUnixSocket } from '../engine/reservation.ts';
import { removeStaleSocket } from '../engine/stale-socket.ts';
import type { Content } from '../engine/stream-reply.ts';
import { type Address, openTransport, type Transport } from '../engine/transport.ts';
import { Origin } from '../fetch/index.ts';
import type { Tls } from '../tls/options.ts';
import type { SharedTls } from '../tls/server-tls.ts';
import type { App, Server } from './app.ts';
import { checkedApp } from './check-app.ts';
import { makeHandler } from './dispatch.ts';
import { addressOfEndpoint, type Endpoint, onEachFamily, type WantedListener } from './listeners.ts';
import { ProcessCrew } from './process-crew.ts';
import { ServerLife } from './server-life.ts';
import { authorityOf } from './server-url.ts';
import type { ServeSettings } from './settings.ts';

/** What all workers get: the secret of session tickets as it is when one starts, and one self-signed certificate. */
async function sharedTlsOf(tls: Tls): Promise<() => SharedTls> {
  const { DEFAULT_TICKET_ROTATION_MS, shareTls } = await import('../tls/server-tls.ts');
  const { makeTicketSecret, TicketKeys } = await import('../tls/ticket-keys.ts');
  const shared = shareTls(tls, makeTicketSecret());
  const keys = new TicketKeys(shared.ticketSecret, tls.ticketRotationMs ?? DEFAULT_TICKET_ROTATION_MS);
  return () => {
    keys.at();
    return { ...shared, ticketSecret: keys.secret };
  };
}

export class ProcessServer<S> extends ServerLife implements Server<S> {
  readonly #call: number;
  #crew: ProcessCrew | null = null;
  /** Owned: released in stop(). */
  #reservations: Reservation[] = [];

  /** `call`: which call of `serve()` in the entry module this is. Throws for an app that cannot work. */
  constructor(app: App<S>, settings: ServeSettings, call: number) {
    super(settings);
    this.#call = call;
    makeHandler(app, this, new Origin('http', 'localhost'));
    this.launch();
  }

  get state(): S {
    throw new Error('the manager of worker processes has no state: each of them has its own');
  }

  get pendingRequests(): number {
    return this.#crew?.pendingRequests ?? 0;
  }

  get pendingWebSockets(): number {
    return this.#crew?.pendingWebSockets ?? 0;
  }

  /** Every worker is replaced by one that loads the entry module as it is then. */
  reload(given: App<S>): Promise<void> {
    const app = checkedApp(given);
    makeHandler(app, this, new Origin('http', authorityOf(this.settings.listeners, this.opened)));
    return this.#crew?.replace(this.settings.drainMs) ?? Promise.resolve();
  }

  ref(): void {
    this.isReferenced = true;
    this.#crew?.ref();
  }

  unref(): void {
    this.isReferenced = false;
    this.#crew?.unref();
  }

  /** No request comes here. */
  requestIP(): null {
    return null;
  }

  timeout(): never {
    throw new TypeError('the request must be one that the handler was given');
  }

  upgrade(): never {
    throw new TypeError('the request must be one that the handler was given');
  }

  /** Bytes of the payload: whether anybody has subscribed is not known here. */
  publish(topic: string, data: Content, compress?: boolean): number {
    this.#crew?.publish({ kind: 'message', topic, data, compress });
    return typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
  }

  /** Not known here. */
  subscriberCount(): number {
    return 0;
  }

  protected async begin(): Promise<this> {
    const transport = await openTransport('handle');
    try {
      const endpoints: Endpoint[] = [];
      const addresses: Address[] = [];
      for (const wanted of this.settings.listeners) {
        const { endpoint, address } = await this.#reserve(transport, wanted);
        endpoints.push(endpoint);
        addresses.push(address);
      }
      this.opened = addresses;
      const { entry, workers, tls } = this.settings;
      const shared = tls === null ? null : await sharedTlsOf(tls);
      this.#crew = new ProcessCrew({ entry, count: workers, call: this.#call, endpoints, tls: shared });
      if (!this.isReferenced) this.#crew.unref();
      await this.#crew.start();
    } catch (error) {
      this.#release();
      throw error;
    }
    return this;
  }

  async #reserve(
    transport: Transport,
    { where }: WantedListener,
  ): Promise<{ readonly endpoint: Endpoint; readonly address: Address }> {
    switch (where.kind) {
      case 'descriptor':
        return { endpoint: where, address: addressOfEndpoint(where) };
      case 'unix': {
        await removeStaleSocket(where.path);
        const reservation = reserveUnixSocket(where.path);
        this.#reservations.push(reservation);
        const endpoint: Endpoint = { kind: 'descriptor', descriptor: reservation.descriptor as number };
        return { endpoint, address: addressOfEndpoint(where) };
      }
      default: {
        const endpoint = await onEachFamily(where, async (address): Promise<Endpoint> => {
          if (where.kind === 'udp') return { kind: 'udp', address, port: where.port };
          // SO_REUSEPORT would join another server of the same user without a word.
          if (where.port !== 0) await transport.assertFree(address, where.port);
          const reservation = await reservePort(transport, address, where.port);
          this.#reservations.push(reservation);
          return { kind: 'tcp', address, port: reservation.port };
        });
        return { endpoint, address: addressOfEndpoint(endpoint) };
      }
    }
  }

  protected hurry(isEnding: boolean): void {
    if (isEnding) void this.#crew?.end(0);
  }

  #release(): void {
    for (const reservation of this.#reservations) reservation.release();
    this.#reservations = [];
  }

  protected async finish(graceMs: number): Promise<void> {
    // The file of a Unix socket goes first: what has connected already is in the workers' queue.
    this.#release();
    await this.#crew?.end(graceMs);
  }
}

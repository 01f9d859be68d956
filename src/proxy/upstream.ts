/**
 * One upstream in one worker: its connections, who waits for one, its health and its counters. Owns the idle connections; busy ones
 * belong to their users.
 */
import type { Connector } from '../engine/connector.ts';
import { Addresses, type LookUp } from './addresses.ts';
import type { ConnectionUser } from './connection-user.ts';
import { newCounters, type UpstreamCounters } from './counters.ts';
import type { FailureReason } from './failures.ts';
import { authorityOf, type ProxySettings, type UpstreamSettings } from './settings.ts';
import type { UpstreamClock } from './upstream-clock.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import { UpstreamHealth } from './upstream-health.ts';
import { WaitingUser } from './waiting-user.ts';

/** A request that must not be sent twice gets no connection that has been idle for longer: the upstream may be closing it. */
const FRESH_MS = 1000;

export class Upstream {
  readonly own: UpstreamSettings;
  readonly settings: ProxySettings;
  readonly connector: Connector;
  readonly clock: UpstreamClock;
  readonly onMessage: (url: string, text: string) => void;
  readonly addresses: Addresses;
  readonly counters: UpstreamCounters = newCounters();
  readonly health: UpstreamHealth;
  readonly authority: string;
  readonly basePath: string;
  /** Requests under way and tunnels. */
  active = 0;
  /** For smooth weighted round robin. */
  current = 0;
  /** It gets no new clients; those that a cookie keeps with it still come. */
  isDraining: boolean;
  readonly #idle: UpstreamConnection[] = [];
  readonly #waiting: WaitingUser[] = [];
  #isClosed = false;

  constructor(
    own: UpstreamSettings,
    settings: ProxySettings,
    connector: Connector,
    clock: UpstreamClock,
    lookUp?: LookUp,
    onMessage: (url: string, text: string) => void = () => {},
  ) {
    this.own = own;
    this.onMessage = onMessage;
    this.settings = settings;
    this.connector = connector;
    this.clock = clock;
    this.addresses = new Addresses(own, lookUp);
    this.health = new UpstreamHealth(settings.passive);
    this.authority = authorityOf(own);
    this.basePath = own.basePath;
    this.isDraining = own.weight === 0;
  }

  get isFull(): boolean {
    return this.active >= this.settings.maxActive;
  }

  /** Counters with the present state. */
  read(): UpstreamCounters {
    const { counters } = this;
    counters.active = this.active;
    counters.idle = this.#idle.length;
    counters.waiting = this.#waiting.length;
    return counters;
  }

  /**
   * A connection, which is the user's from now on: an idle one, or one that is being made, of which `onReady` or `onBroken` will
   * tell. null: there are too many requests, and the same follows after a while. Of the idle ones the last used is taken, so that
   * the others can be closed.
   */
  take(user: ConnectionUser, isRepeatable: boolean, wantsNew: boolean): UpstreamConnection | null {
    if (this.isFull) {
      this.#waiting.push(new WaitingUser(this, user, isRepeatable));
      return null;
    }
    this.active++;
    const idle = wantsNew ? null : this.#takeIdle(isRepeatable);
    if (idle === null) return this.#open(user);
    idle.reuse(user);
    return idle;
  }

  /** A new connection, however many there are. */
  openForCheck(user: ConnectionUser): UpstreamConnection {
    this.active++;
    return this.#open(user);
  }

  /** The user does not wait any more. */
  stopWaiting(user: ConnectionUser): void {
    const waiting = this.#waiting.find((one) => one.user === user);
    if (waiting !== undefined) this.remove(waiting);
  }

  /** Takes a waiting user out of the queue. */
  remove(waiting: WaitingUser): void {
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    this.clock.forget(waiting);
  }

  onIdle(connection: UpstreamConnection): void {
    this.active--;
    const { maxIdle, timeouts } = this.settings;
    if (this.#isClosed || this.#idle.length >= maxIdle) {
      connection.close();
      return;
    }
    const { now } = this.clock;
    connection.idleSince = now;
    connection.deadline = now + Math.min(timeouts.keepAliveMs, connection.keepAliveMs);
    if (connection.deadline <= now) {
      connection.close();
      return;
    }
    this.#idle.push(connection);
    this.#serveWaiting();
  }

  onClosed(connection: UpstreamConnection, wasIdle: boolean): void {
    if (!wasIdle) {
      this.release();
      return;
    }
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** A place is free. */
  release(): void {
    this.active--;
    this.#serveWaiting();
  }

  countFailure(reason: FailureReason): void {
    this.counters.failures[reason]++;
    // Too many requests are not its fault.
    if (reason !== 'busy' && this.health.countFailure(this.clock.now)) this.counters.ejections++;
  }

  /** Idle connections close now, others with their requests. */
  close(): void {
    this.#isClosed = true;
    while (this.#idle.length > 0) this.#idle.at(-1)?.close();
  }

  #open(user: ConnectionUser): UpstreamConnection {
    const connection = new UpstreamConnection(this, user);
    connection.open();
    return connection;
  }

  #takeIdle(isRepeatable: boolean): UpstreamConnection | null {
    const last = this.#idle.at(-1);
    if (last === undefined) return null;
    if (!isRepeatable && this.clock.now - last.idleSince > FRESH_MS) return null;
    this.#idle.pop();
    return last;
  }

  #serveWaiting(): void {
    while (this.#waiting.length > 0 && !this.isFull) {
      const waiting = this.#waiting[0] as WaitingUser;
      this.remove(waiting);
      const connection = this.take(waiting.user, waiting.isRepeatable, false);
      if (connection?.isReady === true) waiting.user.onReady(connection);
    }
  }
}

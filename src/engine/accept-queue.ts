/**
 * Closes a listener without resetting connections. The kernel resets connections that wait in the accept queue of a closed listener,
 * and between the last accept and close() there is always time for one more to arrive.
 *
 * So the queue's last place is taken first. In one turn of JavaScript, during which nothing is accepted, this shortens the queue
 * to one place, fills it with a connection of its own, and closes the listener. Clients that arrive at that moment find no
 * room, and TCP retries a second later. If the place was taken already, restore the backlog and try
 * again after a turn of the event loop. 20 replacements under 10,000 connections per second: 0 to 3 resets instead of 5 to 40.
 * The rest are in the middle of their handshake; net.ipv4.tcp_migrate_req=1 makes the kernel hand those on too.
 *
 * With SO_REUSEPORT a hash of addresses and ports decides which listener gets a connection. So it first finds out which local
 * ports lead to this one. Two are needed: if the second connection finds room, the first has landed elsewhere, because the
 * group of listeners has changed.
 */
import type { Address } from './address.ts';
import type { SelfConnection, SelfConnector } from './self-connection.ts';

/** What this needs from a listening socket. */
export interface ListeningHandle {
  listen(backlog: number): number;
  close(): void;
}

/** Connections opened at once to find ports that lead here: two for each of a group of eight listeners. */
const PROBES = 16;
/** Give up after this many rounds: perhaps this machine does not allow connections to itself. */
const ROUNDS = 10;
/** So many turns are had even when time is over: a process that was kept from running has accepted nothing meanwhile. */
const LEAST_TURNS = 512;
/** Turns of the event loop without a new connection that count as quiet. */
export const QUIET_TURNS = 3;

export class AcceptQueue {
  /** Owned: closed in close(), by the end of drain() at the latest. */
  readonly #listener: ListeningHandle;
  readonly #connect: SelfConnector;
  readonly #backlog: number;
  /** The address that its own connections come from. */
  readonly #ownAddress: string;
  #accepted = 0;
  #isClosed = false;
  /** While probes are open: their local ports → whether they have arrived here. */
  #probes: Map<number, boolean> | null = null;

  constructor(listener: ListeningHandle, connect: SelfConnector, ownAddress: string, backlog: number) {
    this.#listener = listener;
    this.#connect = connect;
    this.#ownAddress = ownAddress;
    this.#backlog = backlog;
  }

  /** Must be told of every accepted connection; returns whether this opened it itself, and the caller then closes it. */
  takes(peer: () => Address): boolean {
    this.#accepted++;
    if (this.#probes === null) return false;
    const { address, port } = peer();
    if (address !== this.#ownAddress || !this.#probes.has(port)) return false;
    this.#probes.set(port, true);
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
  }

  /** Closes at a moment when the queue is empty, or after `maxMs`. */
  async drain(maxMs: number): Promise<void> {
    const now = process.uptime();
    const half = now + maxMs / 2000;
    for (let round = 0; round < ROUNDS && process.uptime() < half; round++) {
      const ports = await this.#findPorts(half);
      if (this.#isClosed) return;
      // Without free descriptors it cannot open connections of its own.
      if (ports === null) break;
      const [first, second] = ports;
      if (first !== undefined && second !== undefined && (await this.#fillAndClose(first, second, half))) return;
    }
    // More connections may arrive than can be accepted; with one place the queue still becomes empty.
    if (!this.#isClosed) this.#listener.listen(0);
    await untilQuiet(() => this.#accepted, QUIET_TURNS, now + maxMs / 1000);
    this.close();
  }

  /** Local ports from which connections have arrived here; null if none could be opened. */
  async #findPorts(end: number): Promise<number[] | null> {
    const connections: SelfConnection[] = [];
    for (let i = 0; i < PROBES; i++) {
      const connection = this.#connect(0);
      if (connection === null) break;
      connections.push(connection);
    }
    if (connections.length === 0) return null;
    const probes = new Map(connections.map(({ localPort }) => [localPort, false]));
    this.#probes = probes;
    await untilQuiet(() => this.#accepted, 1, end);
    this.#probes = null;
    for (const connection of connections) connection.reset();
    return [...probes.keys()].filter((port) => probes.get(port));
  }

  /** False if these ports no longer reach this listener, or time is up. */
  async #fillAndClose(first: number, second: number, end: number): Promise<boolean> {
    while (process.uptime() < end && !this.#isClosed) {
      await untilQuiet(() => this.#accepted, 1, end);
      if (this.#isClosed) return true;
      this.#listener.listen(0);
      const one = this.#connect(first);
      const isIn = one?.isEstablished === true;
      const two = isIn ? this.#connect(second) : null;
      const isFull = two !== null && !two.isEstablished;
      if (isFull) this.close();
      else this.#listener.listen(this.#backlog);
      one?.reset();
      two?.reset();
      if (isIn || one === null) return isFull;
    }
    return this.#isClosed;
  }
}

/** Lets the event loop turn until `turns` turns have accepted nothing (each accepts one connection at most), or until about `end`. */
export async function untilQuiet(accepted: () => number, turns: number, end: number): Promise<void> {
  for (let quiet = 0, turn = 0; quiet < turns && (turn < LEAST_TURNS || process.uptime() < end); turn++) {
    const before = accepted();
    await new Promise((resolve) => setImmediate(resolve));
    quiet = accepted() === before ? quiet + 1 : 0;
  }
}

/**
 * How a listener is closed without resetting anybody: the kernel resets who waits in the accept queue of a closed listener, and
 * between the last accept and close() there is always time for one more to come.
 *
 * So the queue's last place is taken first. In one go of JavaScript, in which nothing is accepted, the queue is shortened to one
 * place, a connection of our own is put there, and the listener is closed. Whoever comes in that moment is not let in, and tries
 * again a second later (TCP's own retransmission). Was the place taken already, everything is put back, and after a turn of the
 * event loop it is tried again. 20 replacements under 10,000 connections per second: 0 to 3 resets instead of 5 to 40.
 * What is left is in the middle of its handshake; net.ipv4.tcp_migrate_req=1 makes the kernel hand that on, too.
 *
 * With SO_REUSEPORT a hash of addresses and ports decides which listener gets a connection. So it is found out beforehand which
 * local ports lead to this one. Two are needed: if the second connection finds room, the first has landed elsewhere, because
 * the group of listeners has changed.
 */
import type { Link } from './transport.ts';

/** What this needs of Node's TCP handles. */
export interface SocketHandle extends Link {
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
  listen(backlog: number): number;
  getsockname(out: SocketName): number;
  getpeername(out: SocketName): number;
  connect(request: object, address: string, port: number): number;
  connect6(request: object, address: string, port: number): number;
  /** Closes with RST. */
  reset(): number;
  close(): void;
}

export interface SocketName {
  address?: string;
  port?: number;
}

export interface SocketBindings {
  readonly TCP: new (type: number) => SocketHandle;
  readonly TCPConnectWrap: new () => { oncomplete: () => void };
  readonly constants: { readonly SOCKET: number };
}

/** Connections at once to find ports that lead here: of a group of eight listeners two each. */
const PROBES = 16;
/** So often, then it is given up: perhaps nobody may connect to himself here. */
const ROUNDS = 10;
/** Turns of the event loop without a new connection, where nothing better can be done. */
const QUIET_TURNS = 3;

export class AcceptQueue {
  readonly #bindings: SocketBindings;
  /** Owned: closed in close(), by the end of drain() at the latest. */
  readonly #listener: SocketHandle;
  readonly #address: string;
  readonly #port: number;
  readonly #backlog: number;
  #accepted = 0;
  #isClosed = false;
  /** While they are open: ports of our own connections → whether they have arrived here. Else null. */
  #probes: Map<number, boolean> | null = null;

  constructor(bindings: SocketBindings, listener: SocketHandle, name: Required<SocketName>, backlog: number) {
    this.#bindings = bindings;
    this.#listener = listener;
    this.#address = name.address === '0.0.0.0' ? '127.0.0.1' : name.address === '::' ? '::1' : name.address;
    this.#port = name.port;
    this.#backlog = backlog;
  }

  /** To be asked for every accepted connection: true where it is our own, and dealt with. */
  takes(link: SocketHandle): boolean {
    this.#accepted++;
    if (this.#probes === null) return false;
    const { address, port } = peerOf(link);
    if (address !== this.#address || port === undefined || !this.#probes.has(port)) return false;
    this.#probes.set(port, true);
    link.close();
    return true;
  }

  close(): void {
    this.#isClosed = true;
    this.#listener.close();
  }

  /** Closes at a moment when nobody waits in the queue, or after `maxMs`. */
  async drain(maxMs: number): Promise<void> {
    const now = process.uptime();
    const half = now + maxMs / 2000;
    for (let round = 0; round < ROUNDS && process.uptime() < half; round++) {
      const [first, second] = await this.#findPorts(half);
      if (this.#isClosed) return;
      if (first !== undefined && second !== undefined && (await this.#fillAndClose(first, second, half))) return;
    }
    // Perhaps more come than can be accepted: with one place the queue becomes empty in any case.
    this.#listener.listen(0);
    await untilQuiet(() => this.#accepted, QUIET_TURNS, now + maxMs / 1000);
    this.close();
  }

  /** Ports of which connections have arrived here. */
  async #findPorts(end: number): Promise<number[]> {
    const probes = new Map<number, boolean>();
    const handles: SocketHandle[] = [];
    for (let i = 0; i < PROBES; i++) {
      const handle = this.#connect(0);
      const name: SocketName = {};
      if (handle.getsockname(name) === 0 && name.port !== undefined) probes.set(name.port, false);
      handles.push(handle);
    }
    this.#probes = probes;
    await untilQuiet(() => this.#accepted, 1, end);
    this.#probes = null;
    for (const handle of handles) handle.reset();
    return [...probes.keys()].filter((port) => probes.get(port));
  }

  /** False where the ports lead here no more, or time is up. */
  async #fillAndClose(first: number, second: number, end: number): Promise<boolean> {
    while (process.uptime() < end && !this.#isClosed) {
      await untilQuiet(() => this.#accepted, 1, end);
      if (this.#isClosed) return true;
      this.#listener.listen(0);
      const one = this.#connect(first);
      const isIn = isEstablished(one);
      const two = isIn ? this.#connect(second) : null;
      const isFull = two !== null && !isEstablished(two);
      if (isFull) this.close();
      else this.#listener.listen(this.#backlog);
      one.reset();
      two?.reset();
      if (isIn) return isFull;
    }
    return this.#isClosed;
  }

  /** On one machine the handshake is over when this returns, if there is room. */
  #connect(localPort: number): SocketHandle {
    const { TCP, TCPConnectWrap, constants } = this.#bindings;
    const handle = new TCP(constants.SOCKET);
    const request = new TCPConnectWrap();
    request.oncomplete = () => {};
    if (this.#address.includes(':')) {
      if (handle.bind6(this.#address, localPort, 0) === 0) handle.connect6(request, this.#address, this.#port);
    } else if (handle.bind(this.#address, localPort, 0) === 0) {
      handle.connect(request, this.#address, this.#port);
    }
    return handle;
  }
}

/** Lets the event loop turn until so many turns have accepted nobody (each accepts one at most), or until `end`. */
export async function untilQuiet(accepted: () => number, turns: number, end: number): Promise<void> {
  for (let quiet = 0; quiet < turns && process.uptime() < end; ) {
    const before = accepted();
    await new Promise((resolve) => setImmediate(resolve));
    quiet = accepted() === before ? quiet + 1 : 0;
  }
}

function peerOf(handle: SocketHandle): SocketName {
  const name: SocketName = {};
  handle.getpeername(name);
  return name;
}

function isEstablished(handle: SocketHandle): boolean {
  return handle.getpeername({}) === 0;
}

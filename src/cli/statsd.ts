/** Pushes requests per second by UDP, as a StatsD gauge: `vrypt.rps:<n>|g`. Owns its socket, its lookup and its timer. */
import { createSocket, type Socket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';
import { type Found, lookUp } from '../engine/look-up.ts';
import type { HostAndPort } from '../rules/rules.ts';

const PERIOD_MS = 1000;
/** How long an address is used whose time to live is not known. */
const UNKNOWN_TTL_MS = 60_000;
const LOOKUP_RETRY_MS = 5000;
/** Periods without an error until the target counts as reached again: the kernel limits how many ICMP errors it sends. */
const QUIET_PERIODS = 3;

type Find = (name: string, signal: AbortSignal) => Promise<Found>;

/**
 * `requests` gives the answers of each worker so far, modulo 2^32. `tell` gets one line when the target is lost and one when it is
 * found again. Returns what stops it.
 */
export function startStatsd(
  target: HostAndPort,
  requests: () => readonly number[],
  tell: (line: string) => void,
  find: Find = lookUp,
): () => void {
  const route = new Route(target, tell, find);
  let last = requests();
  let lastTime = performance.now();
  const timer = setInterval(() => {
    const now = requests();
    const time = performance.now();
    let count = 0;
    for (const [worker, value] of now.entries()) count += (value - (last[worker] as number)) >>> 0;
    const rate = Math.round((count * 1000) / (time - lastTime));
    last = now;
    lastTime = time;
    route.send(`vrypt.rps:${rate}|g`);
  }, PERIOD_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    route.close();
  };
}

/** The way to the target. What cannot be sent at once is dropped: a gauge is worth nothing later. */
class Route {
  readonly #target: HostAndPort;
  readonly #tell: (line: string) => void;
  readonly #find: Find;
  readonly #closing = new AbortController();
  #addresses: readonly string[] = [];
  /** Index of the address that is used. */
  #current = 0;
  /** When to look up the name; Infinity during a lookup, or if the target is an address. */
  #nextLookup = 0;
  #isNameLost = false;
  /** Owned: connected, or null. */
  #socket: Socket | null = null;
  #isConnected = false;
  #isLost = false;
  /** In a row, over all addresses. */
  #failures = 0;
  /** Periods in a row in which a packet left and no error came back. */
  #quietPeriods = 0;
  #hasSent = false;

  constructor(target: HostAndPort, tell: (line: string) => void, find: Find) {
    this.#target = target;
    this.#tell = tell;
    this.#find = find;
    if (isIP(target.host) !== 0) {
      this.#addresses = [target.host];
      this.#nextLookup = Number.POSITIVE_INFINITY;
      this.#connect();
    } else {
      void this.#lookUp();
    }
  }

  send(packet: string): void {
    this.#notice();
    if (performance.now() >= this.#nextLookup) void this.#lookUp();
    if (this.#socket === null && this.#addresses.length > 0) this.#connect();
    const socket = this.#socket;
    if (socket === null || !this.#isConnected || socket.getSendQueueCount() > 0) return;
    this.#hasSent = true;
    socket.send(packet, (error) => {
      if (error !== null) this.#fail(socket, error);
    });
  }

  close(): void {
    this.#closing.abort();
    this.#socket?.close();
    this.#socket = null;
  }

  async #lookUp(): Promise<void> {
    this.#nextLookup = Number.POSITIVE_INFINITY;
    const { signal } = this.#closing;
    try {
      const { addresses, ttlMs = UNKNOWN_TTL_MS } = await this.#find(this.#target.host, signal);
      if (signal.aborted) return;
      this.#nextLookup = performance.now() + ttlMs;
      this.#use(addresses);
      if (this.#isNameLost) this.#say('is found again');
      this.#isNameLost = false;
    } catch (error) {
      if (signal.aborted) return;
      this.#nextLookup = performance.now() + LOOKUP_RETRY_MS;
      // The last address, if there was one, stays in use.
      if (!this.#isNameLost) this.#tell((error as Error).message);
      this.#isNameLost = true;
    }
  }

  #use(addresses: readonly string[]): void {
    const used = this.#addresses[this.#current];
    this.#addresses = addresses;
    this.#current = Math.max(0, used === undefined ? 0 : addresses.indexOf(used));
    if (addresses[this.#current] === used && this.#socket !== null) return;
    this.#disconnect();
    this.#connect();
  }

  #connect(): void {
    const address = this.#addresses[this.#current] as string;
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    this.#socket = socket;
    this.#isConnected = false;
    socket.on('error', (error) => this.#fail(socket, error));
    // Only a connected socket reports ECONNREFUSED.
    socket.connect(this.#target.port, address);
    socket.once('connect', () => {
      this.#isConnected = true;
    });
    socket.unref();
  }

  #disconnect(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  #fail(socket: Socket, error: NodeJS.ErrnoException): void {
    if (socket !== this.#socket) return;
    const count = this.#addresses.length;
    this.#quietPeriods = 0;
    this.#hasSent = false;
    this.#failures++;
    // A refusal leaves the socket usable, so keep it if there is no other address to try.
    if (error.code !== 'ECONNREFUSED' || count > 1) {
      this.#disconnect();
      this.#current = (this.#current + 1) % count;
    }
    if (this.#failures < count || this.#isLost) return;
    this.#isLost = true;
    this.#say(`cannot be reached (${error.code ?? error.message})`);
  }

  /** Looks back at the last period. */
  #notice(): void {
    if (this.#hasSent && ++this.#quietPeriods >= QUIET_PERIODS) {
      this.#failures = 0;
      if (this.#isLost) this.#say('is reached again');
      this.#isLost = false;
    }
    this.#hasSent = false;
  }

  #say(what: string): void {
    const { host, port } = this.#target;
    this.#tell(`${isIPv6(host) ? `[${host}]` : host}:${port} ${what}`);
  }
}

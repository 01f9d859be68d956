/** Where a server listens: what was asked for, checked, and opened in each worker. */
import { type Datagrams, type OpenDatagrams, openDatagrams } from '../engine/datagrams.ts';
import { addressOfHost } from '../engine/host-address.ts';
import type { OpenConnection } from '../engine/live-connection.ts';
import type { Protocol } from '../engine/protocol.ts';
import { speaking } from '../engine/protocol-connection.ts';
import type { ListenerTicket } from '../engine/shared-listener.ts';
import { removeStaleSocket } from '../engine/stale-socket.ts';
import type { Address, Listener, ListenOptions, Transport } from '../engine/transport.ts';
import type { Http3Place } from '../http3/http3-listener.ts';
import type { ListenTarget, Options } from './app.ts';
import type { WorkerPlace } from './worker-place.ts';

/** As data, for other workers: an address once it is known. */
export type Endpoint =
  | { readonly kind: 'tcp' | 'udp'; readonly address: string; readonly port: number }
  /** `ticket`: by which other threads get it; null if they cannot. */
  | { readonly kind: 'unix'; readonly path: string; readonly ticket: ListenerTicket | null }
  /** A socket that another process has bound. */
  | { readonly kind: 'descriptor'; readonly descriptor: number };

export interface WantedListener {
  readonly where:
    | { readonly kind: 'tcp' | 'udp'; readonly hostname: string | null; readonly port: number }
    | Extract<Endpoint, { kind: 'unix' | 'descriptor' }>;
  /** null: HTTP. */
  readonly protocol: Protocol | null;
  /** Set for UDP. */
  readonly datagrams: Datagrams | null;
}

/** What opens listeners: this worker's engine. */
export interface ListeningHost {
  listen(options: ListenOptions, open: OpenConnection | undefined): Promise<Listener>;
  addDatagrams(open: OpenDatagrams): void;
  /** Beside a listener for HTTP on TCP. */
  listenHttp3(place: Http3Place): Promise<void>;
  readonly report: (error: unknown) => void;
}

const DEFAULT_PORT = 3000;
/** Requested length of the accept queue. */
const BACKLOG = 4096;
/** What a default address falls back on if there is no IPv6. */
const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/** Throws a RangeError that names the option. */
export function wantedListeners({ port, hostname, unix, listen }: Options): WantedListener[] {
  if (listen !== undefined) {
    for (const [name, value] of Object.entries({ port, hostname, unix })) {
      if (value !== undefined) throw new RangeError(`listen and ${name} must not be given together`);
    }
    const targets = Array.isArray(listen) ? (listen as readonly ListenTarget[]) : [listen as ListenTarget];
    if (targets.length === 0) throw new RangeError('listen must name at least one place');
    return targets.map(wantedOf);
  }
  for (const [name, value] of Object.entries({ port, hostname })) {
    if (unix !== undefined && value !== undefined) throw new RangeError(`unix and ${name} must not be given together`);
  }
  if (unix !== undefined) return [wantedOf({ unix })];
  return [wantedOf({ port: port ?? DEFAULT_PORT, hostname })];
}

function wantedOf(target: ListenTarget): WantedListener {
  const protocol = ('protocol' in target ? target.protocol : undefined) ?? null;
  if ('unix' in target && target.unix !== undefined) {
    return { where: { kind: 'unix', path: target.unix, ticket: null }, protocol, datagrams: null };
  }
  if ('descriptor' in target && target.descriptor !== undefined) {
    return { where: { kind: 'descriptor', descriptor: target.descriptor }, protocol, datagrams: null };
  }
  const { port, hostname = null } = target as Extract<ListenTarget, { port: number }>;
  if ('datagrams' in target && target.datagrams !== undefined) {
    return { where: { kind: 'udp', hostname, port }, protocol: null, datagrams: target.datagrams };
  }
  return { where: { kind: 'tcp', hostname, port }, protocol, datagrams: null };
}

/** Of a listener that this worker does not have itself. */
export function addressOfEndpoint(endpoint: Endpoint): Address {
  switch (endpoint.kind) {
    case 'unix':
      return { address: endpoint.path, port: 0, family: 'unix' };
    case 'descriptor':
      return { address: `descriptor ${endpoint.descriptor}`, port: 0, family: 'unix' };
    default: {
      const { address, port } = endpoint;
      return { address, port, family: address.includes(':') ? 'IPv6' : 'IPv4' };
    }
  }
}

export interface Opened {
  readonly address: Address;
  readonly endpoint: Endpoint;
}

/**
 * Opens one listener of this worker. `given`: where the first worker listens, or the manager wants it to. null: not in this worker, because
 * the first one cannot share it. Rejects with the system's error, which names the place.
 */
export async function openListener(
  host: ListeningHost,
  transport: Transport,
  place: WorkerPlace,
  wanted: WantedListener,
  given: Endpoint | null,
): Promise<Opened | null> {
  try {
    return await openWanted(host, transport, place, wanted, given);
  } catch (error) {
    throw withPlace(error, given ?? wanted.where);
  }
}

/** As Node says it: `listen EADDRINUSE: address already in use :::3000`. */
function withPlace(error: unknown, endpoint: WantedListener['where'] | Endpoint): unknown {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  if (errno === undefined || code === undefined || !message.startsWith(code)) return error;
  const place = placeOf(endpoint);
  const text = place.port === undefined ? place.address : `${place.address}:${place.port}`;
  return Object.assign(new Error(`listen ${message} ${text}`), { code, errno, syscall: 'listen', ...place });
}

function placeOf(endpoint: WantedListener['where'] | Endpoint): { address: string; port?: number } {
  switch (endpoint.kind) {
    case 'unix':
      return { address: endpoint.path };
    case 'descriptor':
      return { address: `descriptor ${endpoint.descriptor}` };
    default:
      return { address: ('address' in endpoint ? endpoint.address : endpoint.hostname) ?? '::', port: endpoint.port };
  }
}

async function openWanted(
  host: ListeningHost,
  transport: Transport,
  place: WorkerPlace,
  wanted: WantedListener,
  given: Endpoint | null,
): Promise<Opened | null> {
  const { where, protocol } = wanted;
  const speak = protocol === null ? undefined : speaking(protocol);
  const endpoint = given ?? where;
  switch (endpoint.kind) {
    case 'unix': {
      const { path, ticket } = endpoint;
      const address: Address = { address: path, port: 0, family: 'unix' };
      if (place.index > 0) {
        if (ticket === null) return null;
        await host.listen({ path, ticket, backlog: BACKLOG }, speak);
        return { address, endpoint };
      }
      await removeStaleSocket(path);
      const listener = await host.listen({ path, backlog: BACKLOG }, speak);
      const shared = place.count > 1 ? ((await listener.share?.()) ?? null) : null;
      return { address, endpoint: { kind: 'unix', path, ticket: shared } };
    }
    case 'descriptor': {
      const { descriptor } = endpoint;
      if (place.index > 0 && given === null) return null;
      const { address, port } = await host.listen({ descriptor, backlog: BACKLOG }, speak);
      const family = port === 0 ? 'unix' : address.includes(':') ? 'IPv6' : 'IPv4';
      return { address: { address, port, family }, endpoint };
    }
    default:
      return onEachFamily(endpoint, (address) => openAt(address));
  }

  async function openAt(address: string): Promise<Opened> {
    const { kind, port } = endpoint as Extract<Endpoint, { kind: 'tcp' }>;
    const reusePort = place.count > 1 || given !== null;
    if (wanted.datagrams !== null) {
      const open = await openDatagrams({ address, port, reusePort }, wanted.datagrams, host.report);
      host.addDatagrams(open);
      return { address: open.local, endpoint: { kind, address, port: open.local.port } };
    }
    // SO_REUSEPORT would join another server of the same user without a word.
    if (reusePort && given === null && port !== 0) await transport.assertFree(address, port);
    const listener = await host.listen({ address, port, backlog: BACKLOG, reusePort }, speak);
    if (protocol === null) await host.listenHttp3({ address, port: listener.port, reusePort });
    const family = address.includes(':') ? 'IPv6' : 'IPv4';
    return { address: { address, port: listener.port, family }, endpoint: { kind, address, port: listener.port } };
  }
}

/** Where no host was named: every address, of both families if the machine has both. */
export async function onEachFamily<T>(
  endpoint: { readonly address?: string; readonly hostname?: string | null },
  open: (address: string) => Promise<T>,
): Promise<T> {
  const host = endpoint.address ?? endpoint.hostname ?? null;
  if (host !== null) return open(await addressOfHost(host));
  try {
    return await open('::');
  } catch (error) {
    if (!NO_IPV6.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return open('0.0.0.0');
  }
}

/** Where a server listens. */
import type { OpenConnection } from '../engine/live-connection.ts';
import type { ListenerTicket } from '../engine/shared-listener.ts';
import type { Listener, ListenOptions } from '../engine/transport.ts';

/** What a worker is told: one address. */
export type Endpoint =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  /** `ticket`: for a thread that did not open it. */
  | { readonly kind: 'unix'; readonly path: string; readonly ticket: ListenerTicket | null }
  /** Sockets that another process has bound; at least one. */
  | { readonly kind: 'descriptors'; readonly descriptors: readonly number[] };

/** What a server is told: also every address of the machine, of both families if it has both. */
export type WantedEndpoint = Endpoint | { readonly kind: 'everywhere'; readonly port: number };

/** "::" accepts IPv4, too; without IPv6 in the kernel there is no such address. */
export const EVERY_ADDRESS = ['::', '0.0.0.0'] as const;

/** Requested length of the accept queue. */
const BACKLOG = 4096;

interface Listening {
  listen(options: ListenOptions, open?: OpenConnection): Promise<Listener>;
}

/** Resolves with the first listener, if there are several. */
export async function listenAt(engine: Listening, endpoint: Endpoint, open?: OpenConnection): Promise<Listener> {
  const [first, ...others] = listenOptions(endpoint);
  const listener = await engine.listen(first as ListenOptions, open);
  for (const options of others) await engine.listen(options, open);
  return listener;
}

/** At least one. */
function listenOptions(endpoint: Endpoint): ListenOptions[] {
  if (endpoint.kind === 'unix') {
    const { path, ticket } = endpoint;
    return [ticket === null ? { path, backlog: BACKLOG } : { path, ticket, backlog: BACKLOG }];
  }
  if (endpoint.kind === 'descriptors') {
    return endpoint.descriptors.map((descriptor) => ({ descriptor, backlog: BACKLOG }));
  }
  return [{ address: endpoint.address, port: endpoint.port, backlog: BACKLOG, reusePort: true }];
}

/** Whether the machine lacks the address' family, and not just this address. */
export function isFamilyMissing({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
}

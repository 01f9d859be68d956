/** Where a server listens. */
import { lstatSync, unlinkSync } from 'node:fs';
import type { ListenOptions } from '../engine/transport.ts';

/** What a worker is told: one address. */
export type Endpoint =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** What a server is told: also every address of the machine, of both families if it has both. */
export type WantedEndpoint = Endpoint | { readonly kind: 'everywhere'; readonly port: number };

/** "::" accepts IPv4, too; without IPv6 in the kernel there is no such address. */
export const EVERY_ADDRESS = ['::', '0.0.0.0'] as const;

/** Requested length of the accept queue. */
const BACKLOG = 4096;

/** How long a server that may be listening on a Unix socket has to accept. */
const PROBE_MS = 2000;

export function listenOptions(endpoint: Endpoint): ListenOptions {
  if (endpoint.kind === 'unix') return { path: endpoint.path, backlog: BACKLOG };
  return { address: endpoint.address, port: endpoint.port, backlog: BACKLOG, reusePort: true };
}

/** Whether the machine lacks the address' family, and not just this address. */
export function isFamilyMissing({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
}

/** Removes the file of a Unix socket on which nobody listens any more: a server that was killed leaves it behind. */
export async function removeStaleSocket(path: string): Promise<void> {
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (file?.isSocket() !== true || (await isListening(path))) return;
  unlinkSync(path);
}

/** A queue that is full, or that this user may not join, is somebody's. */
async function isListening(path: string): Promise<boolean> {
  // Costs 2 MiB and some milliseconds: not for servers that listen on a port.
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.setTimeout(PROBE_MS);
    const settle = (is: boolean) => () => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', settle(true)).once('timeout', settle(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT')(),
    );
  });
}

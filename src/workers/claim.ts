/**
 * Takes the address of a server, so that nobody else has it without a word: SO_REUSEPORT would join another server of the same
 * user. Of every address of the machine, takes the first whose family there is.
 */
import { removeStaleSocket } from '../engine/stale-socket.ts';
import type { Transport } from '../engine/transport.ts';
import { type Endpoint, EVERY_ADDRESS, isFamilyMissing, type WantedEndpoint } from './endpoint.ts';
import { withLock } from './start-lock.ts';

interface Wanted {
  readonly endpoint: WantedEndpoint;
  /** Joins a server that already listens on the port; otherwise that is an error with the code EADDRINUSE. */
  readonly sharesPort: boolean;
}

/** `take` listens or binds; what it rejects with, this rejects with. */
export async function claim<T>(
  transport: Transport,
  { endpoint, sharesPort }: Wanted,
  take: (endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  if (endpoint.kind === 'descriptors') return take(endpoint);
  if (endpoint.kind === 'unix') {
    return withLock(transport, endpoint.path, async () => {
      await removeStaleSocket(endpoint.path);
      return take(endpoint);
    });
  }
  const { port } = endpoint;
  const addresses = endpoint.kind === 'tcp' ? [endpoint.address] : EVERY_ADDRESS;
  if (port === 0) return firstOf(addresses, takeAt);
  return withLock(transport, String(port), () =>
    firstOf(addresses, async (address) => {
      if (!sharesPort) await transport.assertFree(address, port);
      return takeAt(address);
    }),
  );

  function takeAt(address: string): Promise<T> {
    return take({ kind: 'tcp', address, port });
  }
}

/** The first address whose family this machine has. */
async function firstOf<T>(addresses: readonly string[], take: (address: string) => Promise<T>): Promise<T> {
  for (const address of addresses.slice(0, -1)) {
    try {
      return await take(address);
    } catch (error) {
      if (!isFamilyMissing(error as NodeJS.ErrnoException)) throw error;
    }
  }
  return take(addresses.at(-1) as string);
}

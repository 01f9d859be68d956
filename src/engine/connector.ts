/** Connections that we open, as `transport.ts` has those that we accept. */
import type { Transport, TransportSocket } from './transport.ts';

export type ConnectTarget =
  | { readonly address: string; readonly port: number }
  /** A Unix socket. */
  | { readonly path: string };

/**
 * Called once, never during `connect`: with null, or with the error's code, such as ECONNREFUSED. It may come after `destroy`, and
 * means nothing then. Otherwise the socket must be attached to its owner, or destroyed, in the call.
 */
export type OnConnected = (code: string | null) => void;

export interface Connector {
  /** The transport that the sockets belong to. */
  readonly transport: Transport;
  /** Owned by the caller: to be ended by `transport.destroy`, even if connecting fails. */
  connect(target: ConnectTarget, onConnected: OnConnected): TransportSocket;
}

/** Connects as `transport` does; sockets in memory have no one to connect to, so there `node:net` does. */
export async function openConnector(transport: Transport): Promise<Connector> {
  if (transport.name === 'handle') {
    const { handleConnector } = await import('./handle-connector.ts');
    const fast = handleConnector(transport);
    if (fast !== null) return fast;
  }
  const { netConnector } = await import('./net-connector.ts');
  return netConnector();
}

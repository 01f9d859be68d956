/**
 * What the engine needs from sockets, so that it can run on Node's stream handles (`handle-transport.ts`, fast) or on `node:net`
 * (`net-transport.ts`, public interfaces only).
 */
import type { Buffer } from 'node:buffer';
import type { Address, PeerCredentials } from './address.ts';

import type { ListenerTicket } from './shared-listener.ts';

export type TransportName = 'handle' | 'net';

/** One accepted connection. Opaque to all but the transport that made it. */
export interface TransportSocket {
  /** Set by `attach`. */
  owner: SocketOwner;
}

/** Receives a socket's events. After `destroy` only `onWritten` is still called. */
export interface SocketOwner {
  /** bytes[0, length) have arrived; they are overwritten after the call. */
  onData(bytes: Buffer, length: number): void;
  /** The client has half-closed. */
  onEnd(): void;
  /** The connection is broken. */
  onFailure(): void;
  /** A write that was pending is done, or never will be. */
  onWritten(): void;
}

export const WriteResult = { done: 0, pending: 1, failed: 2 } as const;
export type WriteResultValue = (typeof WriteResult)[keyof typeof WriteResult];

export type ListenOptions = TcpListenOptions | UnixListenOptions | SharedListenOptions | DescriptorListenOptions;

export interface TcpListenOptions {
  /** IPv4 or IPv6 address; "::" accepts both kinds. */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /** Accept queue length; the kernel may hold it lower (net.core.somaxconn). */
  readonly backlog: number;
  /** Sets SO_REUSEPORT, so that every worker has its own listener. */
  readonly reusePort: boolean;
}

export interface UnixListenOptions {
  /** Path of the socket file, which must not exist. */
  readonly path: string;
  readonly backlog: number;
}

/** A Unix socket that another thread of this process listens on, and shares. */
export interface SharedListenOptions extends UnixListenOptions {
  readonly ticket: ListenerTicket;
}

/** A socket that somebody else has bound: another process of ours, or systemd. */
export interface DescriptorListenOptions {
  /** Closed with the listener. */
  readonly descriptor: number;
  readonly backlog: number;
}

export interface Listener {
  /** The address, or the path of a Unix socket. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Stops accepting; the kernel resets connections that wait in its queue. */
  close(): void;
  /** Whether it keeps the process alive; at first it does. */
  ref(): void;
  unref(): void;
  /** Stops accepting at a moment when the queue is empty, or after `maxMs`. */
  drain(maxMs: number): Promise<void>;
  /** Of a Unix socket, for other threads of this process; null if it cannot be shared. Undefined: it never can. */
  share?(): Promise<ListenerTicket | null>;
}

export interface Transport {
  readonly name: TransportName | 'memory';
  /** Rejects, with an error that has a `code`, if the address is in use. */
  assertFree(address: string, port: number): Promise<void>;
  /**
   * Takes the machine-wide lock of that name, which dies with the process: binds an abstract Unix socket (unix(7)). Resolves with
   * what releases it, or null if another process holds it. If such sockets are forbidden, every caller gets the lock.
   */
  tryLock(name: string): Promise<(() => void) | null>;
  /** Listens, or rejects with an error that has a `code`. `onSocket` gets every accepted connection, TCP_NODELAY set. */
  listen(options: ListenOptions, onSocket: (socket: TransportSocket) => void): Promise<Listener>;
  /** Starts reading. */
  attach(socket: TransportSocket, owner: SocketOwner): void;
  pause(socket: TransportSocket): void;
  resume(socket: TransportSocket): void;
  /** `done`: `bytes` may be used again. `pending`: they belong to the transport until `onWritten`. */
  write(socket: TransportSocket, bytes: Buffer): WriteResultValue;
  /** Bytes handed over that the kernel has not taken yet. */
  pendingBytes(socket: TransportSocket): number;
  /** The client's end of the connection. */
  remoteAddress(socket: TransportSocket): Address;
  /** The server's end of the connection. */
  localAddress(socket: TransportSocket): Address;
  /** Who is at the other end of a Unix socket; null on TCP. Throws if this Node cannot tell. */
  peerCredentials(socket: TransportSocket): PeerCredentials | null;
  /** Sends FIN after everything that was written. */
  end(socket: TransportSocket): void;
  /** Closes with RST if the protocol has it, because what the client has must not look complete. Call `destroy` afterwards. */
  reset(socket: TransportSocket): void;
  /** Closes both directions and forgets the socket. */
  destroy(socket: TransportSocket): void;
}

/** What a transport without the runtime's binding says of a Unix socket's other end. */
export function refusePeerCredentials(): never {
  throw new Error('peer credentials can only be read by the runtimes of vrypt-server, not by this Node');
}

/** The transport of that name; the fallback if this Node lacks what the fast one needs. Each is loaded only when used. */
export async function openTransport(name: TransportName): Promise<Transport> {
  if (name === 'handle') {
    const { openHandleTransport } = await import('./handle-transport.ts');
    const fast = openHandleTransport();
    if (fast !== null) return fast;
  }
  const { openNetTransport } = await import('./net-transport.ts');
  return openNetTransport();
}

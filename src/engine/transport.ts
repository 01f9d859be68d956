/**
 * What the engine wants from sockets, so that it can run on Node's stream handles (`handle-transport.ts`, fast) or on `node:net`
 * (`net-transport.ts`, public interfaces only). A link is one accepted connection, in the transport's own form.
 */
import type { Buffer } from 'node:buffer';

/** Handled by the transport that made it only. */
export interface Link {
  /** Set by `attach`. */
  owner: LinkOwner;
}

/** Who is told what happens on a link. After `destroy` nobody is told anything but `onWritten`. */
export interface LinkOwner {
  /** bytes[0, length) have arrived; they are overwritten after the call. */
  onData(bytes: Buffer, length: number): void;
  /** The client has sent all that it will send. */
  onEnd(): void;
  /** The link is broken. */
  onFailure(): void;
  /** What `write` called pending is done, or will never be. */
  onWritten(): void;
}

export const WriteResult = { done: 0, pending: 1, failed: 2 } as const;
export type WriteResultValue = (typeof WriteResult)[keyof typeof WriteResult];

export interface ListenOptions {
  /** IPv4 or IPv6 address; "::" takes both kinds. */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /** Accept queue length; the kernel may hold it lower (net.core.somaxconn). */
  readonly backlog: number;
  /** Sets SO_REUSEPORT, so that every worker has a listener of its own. */
  readonly reusePort: boolean;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** Stops accepting; connections that wait in the kernel's queue are reset. */
  close(): void;
  /** Stops accepting at a moment when nobody waits there, or after `maxMs`. */
  drain(maxMs: number): Promise<void>;
}

export interface Transport {
  readonly name: 'handle' | 'net';
  /** Rejects, with an error that has a `code`, where nobody can listen because somebody else does. */
  assertFree(address: string, port: number): Promise<void>;
  /** Listens, or rejects with an error that has a `code`. `onLink` gets every accepted connection, TCP_NODELAY set. */
  listen(options: ListenOptions, onLink: (link: Link) => void): Promise<Listener>;
  /** Starts to read. */
  attach(link: Link, owner: LinkOwner): void;
  pause(link: Link): void;
  resume(link: Link): void;
  /** `done`: `bytes` may be used again. `pending`: they belong to the transport until `onWritten`. */
  write(link: Link, bytes: Buffer): WriteResultValue;
  /** Octets handed over and not yet taken by the kernel. */
  pendingOctets(link: Link): number;
  /** Sends FIN after all that was written. */
  end(link: Link): void;
  /** Closes both ways and forgets the link. */
  destroy(link: Link): void;
}

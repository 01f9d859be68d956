/** A protocol of a program's own on connections: what it is told, and what it can do with a connection. */
import type { Address, PeerCredentials } from './address.ts';

export type Bytes = string | Uint8Array;

/** One client of a `Protocol`. */
export interface Link<D = unknown> {
  /** Whatever the protocol keeps; undefined at first. */
  data: D;
  readonly remote: Address;
  readonly local: Address;
  /** Who is at the other end of a Unix socket; null on TCP. Throws on a Node without our binding, which cannot tell. */
  readonly peer: PeerCredentials | null;
  /** Bytes that were written and that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  readonly isClosed: boolean;
  /**
   * Strings are sent as UTF-8; bytes may be used again at once. False: the kernel has not taken everything, and `drain` will follow. Until
   * then wait, or let it pile up: beyond 64 KiB the client is not read, beyond `maxBuffered` it is cut off.
   */
  write(bytes: Bytes): boolean;
  /** Sends FIN after what was written. The connection is over when the client has sent its own, or after 10 seconds. */
  end(last?: Bytes): void;
  /** Cuts it off at once. */
  close(): void;
  /** Reads nothing, so that the client has to wait. */
  pause(): void;
  resume(): void;
  /** `timeout` is called after this time, in milliseconds, unless it is set again; 0: never, as at first. Accurate to a quarter of a second. */
  timeout(ms: number): void;
}

/** Every function may be left out but `data`. One that throws costs its connection, and the error is on stderr. */
export interface Protocol<D = unknown> {
  /** A client has connected. */
  open?(link: Link<D>): void;
  /** Bytes have arrived. They are valid only during the call: what is kept must be copied. */
  data(link: Link<D>, bytes: Uint8Array): void;
  /** The client has sent its FIN. Default: `link.end()`. */
  end?(link: Link<D>): void;
  /** The kernel has taken everything that was written. */
  drain?(link: Link<D>): void;
  /** The deadline has passed. Default: `link.close()`. */
  timeout?(link: Link<D>): void;
  /** The server is about to end; whatever is left at the end of its grace is cut off. Default: `link.end()`. */
  stop?(link: Link<D>): void;
  /** It is over, and `link` of no more use. Called once. */
  close?(link: Link<D>): void;
  /** Bytes that may wait for a client that does not read. Default 16 MiB. */
  readonly maxBuffered?: number;
}

/**
 * What our runtimes can do and Node cannot: a binding that is linked into them (`scripts/runtime/binding/vrypt.cc`). On any other Node
 * `native` is null, and every caller has a way without it: `native?.sendDatagram(path, text) ?? -1`.
 */
import type { PeerCredentials } from './address.ts';

/** Numbers of signals. */
export interface InheritedSignals {
  readonly ignored: readonly number[];
  readonly blocked: readonly number[];
}

/**
 * Nothing throws for what the system refuses: results below 0 are errno, negative, as libuv's are (`util.getSystemErrorName`).
 * Descriptors are those of Node's handles (`handle.fd`) or of `node:fs`.
 */
export interface NativeBinding {
  /** Ends the process at once: no exit event, no wait for threads or for libuv's pool. */
  exit(code: number): never;
  /**
   * Ends the process after that time, even if JavaScript never runs again. Replaces what was set before; 0 revokes it. Takes SIGALRM.
   */
  exitAfter(milliseconds: number, code: number): number;
  /** What the parent left, before Node reset it. */
  inheritedSignals(): InheritedSignals;
  /** SO_PEERCRED of a connected Unix socket. */
  peerCredentials(descriptor: number): PeerCredentials | number;
  /** To a Unix datagram socket, such as NOTIFY_SOCKET: at most 107 bytes of path, an abstract one with `@` first. Never waits. */
  sendDatagram(path: string, text: string): number;
  /** This process gets the signal when the thread that forked it ends; 0: none. It may have ended already: compare `process.ppid`. */
  parentDeathSignal(signal: number): number;
  /** TCP_DEFER_ACCEPT: a listener is woken by a connection's first bytes, or after this time. A tenth less CPU time a connection. */
  deferAccept(descriptor: number, seconds: number): number;
  /** sendfile(2): how many bytes the socket took, which may be fewer; -EAGAIN if none. */
  sendFile(socket: number, file: number, offset: number, length: number): number;
}

/** Null: this Node has no such binding. */
export const native: NativeBinding | null = find();

function find(): NativeBinding | null {
  try {
    const { _linkedBinding } = process as unknown as { _linkedBinding(name: string): NativeBinding };
    return _linkedBinding('vrypt');
  } catch {
    return null;
  }
}

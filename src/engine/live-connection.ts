/** What an engine knows about each of its connections, whatever its protocol. */
import type { Buffer } from 'node:buffer';
import type { ConnectionHost } from './connection-host.ts';
import type { TransportSocket } from './transport.ts';

export interface LiveConnection {
  /** Index in the engine's list; only the engine sets it. */
  index: number;
  /** When `onDeadline` is due, on the engine's clock. */
  deadline: number;
  onDeadline(): void;
  /** The server is about to end: finish soon. An idle connection must be gone at `idleDeadline`. */
  onDrain(idleDeadline: number): void;
  /** Cuts it off at once. */
  close(): void;
}

/** A connection that has just been accepted. */
export interface OpenedConnection extends LiveConnection {
  /** There are too many: says so if that costs nothing, and ends. */
  refuse(reason: 'tooManyConnections'): void;
}

/** Speaks HTTP/2 on a socket from which `leftover` has been read. */
export type OpenHttp2 = (host: ConnectionHost, socket: TransportSocket, leftover: Buffer | null) => LiveConnection;

/** Begins what is spoken first on a socket that has just been accepted; the engine then owns the connection. */
export type OpenConnection = (host: ConnectionHost, socket: TransportSocket) => OpenedConnection;

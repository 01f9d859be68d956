/** All WebSockets of one worker and what they share. Owns the sockets. */
import type { Transport, TransportSocket } from '../engine/transport.ts';
import { type ChannelRelay, Channels } from './channels.ts';
import { CloseCode } from './close-codes.ts';
import type { SocketHandlers } from './handlers.ts';
import { resolveSettings, type SocketSettings } from './options.ts';
import type { SocketSession } from './phased-socket.ts';
import { ServerSocket } from './socket.ts';
import { SharedDeflate } from './socket-deflate.ts';
import { WriterPool } from './socket-output.ts';

/** A socket with any data. */
interface Member {
  onTick(now: number): void;
  close(code: number, reason: string): void;
  terminate(): void;
}

export interface WebSocketsHost {
  readonly transport: Transport;
  /** The engine's clock. */
  readonly clock: { readonly now: number };
  readonly report: (error: unknown) => void;
  /** Identifies this worker among those that the relay reaches. */
  readonly workerName: string;
  /** Null if there is no other worker. */
  readonly relay: ChannelRelay | null;
}

export class WebSockets {
  readonly transport: Transport;
  readonly report: (error: unknown) => void;
  readonly channels: Channels;
  readonly writers = new WriterPool();
  readonly sharedDeflate = new SharedDeflate();
  readonly #clock: { readonly now: number };
  readonly #sockets = new Set<Member>();
  readonly #settings = new WeakMap<SocketHandlers, SocketSettings>();

  constructor({ transport, clock, report, workerName, relay }: WebSocketsHost) {
    this.transport = transport;
    this.report = report;
    this.#clock = clock;
    this.channels = new Channels(workerName, relay);
  }

  get now(): number {
    return this.#clock.now;
  }

  /** Includes sockets that are closing. */
  get count(): number {
    return this.#sockets.size;
  }

  /** Checks handlers and options, once for each object; throws a RangeError if an option is invalid. */
  settingsOf(handlers: SocketHandlers): SocketSettings {
    const known = this.#settings.get(handlers);
    if (known !== undefined) return known;
    const settings = resolveSettings(handlers);
    this.#settings.set(handlers, settings);
    return settings;
  }

  /**
   * Takes over a connection whose 101 has been handed to the transport. The caller then makes the socket the connection's owner and
   * calls `start` with the bytes that came behind the request's head.
   */
  accept<D>(connection: TransportSocket, settings: SocketSettings, session: SocketSession, data: D): ServerSocket<D> {
    const socket = new ServerSocket(this, connection, settings, session, data);
    this.#sockets.add(socket);
    return socket;
  }

  /** Called at every tick of the engine's clock. True while another tick is needed. */
  onTick(): boolean {
    const { now } = this;
    for (const socket of this.#sockets) socket.onTick(now);
    return this.#sockets.size > 0;
  }

  /** For a drain: tells every client that the server is going away. */
  closeAll(code: number = CloseCode.goingAway, reason = ''): void {
    for (const socket of this.#sockets) socket.close(code, reason);
  }

  /** Ends what a drain has left, and the channels. */
  terminateAll(): void {
    for (const socket of this.#sockets) socket.terminate();
    this.channels.close();
  }

  remove(socket: Member): void {
    this.#sockets.delete(socket);
  }
}

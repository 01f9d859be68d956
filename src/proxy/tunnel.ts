/**
 * A connection after a 101, joined to the upstream's: bytes both ways, with back-pressure, until both sides have ended. Owns both
 * sockets.
 */
import { Buffer } from 'node:buffer';
import { type HandedOver, HandOverReply, type NewOwner } from '../engine/hand-over.ts';
import { type SocketOwner, type Transport, type TransportSocket, WriteResult } from '../engine/transport.ts';
import type { Fields } from '../http/fields.ts';
import type { Upstream } from './upstream.ts';

/** Once one side has ended, the other has this long for its own end. */
const HALF_CLOSED_MS = 30_000;

/** The upstream's end of a tunnel. */
export interface FarEnd {
  readonly transport: Transport;
  readonly socket: TransportSocket;
  /** What came behind the head of its answer. */
  readonly leftover: Buffer;
}

/** The 101 of an upstream. */
export class TunnelReply extends HandOverReply {
  readonly #far: FarEnd;
  readonly #upstream: Upstream;

  constructor(fields: Fields, far: FarEnd, upstream: Upstream) {
    super(fields, (connection) => new Tunnel(connection, far, upstream));
    this.#far = far;
    this.#upstream = upstream;
  }

  override discard(): void {
    this.#far.transport.destroy(this.#far.socket);
    this.#upstream.release();
  }
}

/** One direction. */
class Side implements SocketOwner {
  readonly transport: Transport;
  readonly socket: TransportSocket;
  hasEnded = false;
  isPaused = false;
  readonly #tunnel: Tunnel;

  constructor(tunnel: Tunnel, transport: Transport, socket: TransportSocket) {
    this.#tunnel = tunnel;
    this.transport = transport;
    this.socket = socket;
  }

  onData(bytes: Buffer, length: number): void {
    this.#tunnel.pass(this, bytes, length);
  }

  onEnd(): void {
    this.#tunnel.end(this);
  }

  onFailure(): void {
    this.#tunnel.close();
  }

  onWritten(): void {
    this.#tunnel.drained(this);
  }
}

export class Tunnel implements NewOwner {
  index = 0;
  deadline: number;
  readonly #connection: HandedOver;
  readonly #upstream: Upstream;
  readonly #near: Side;
  readonly #far: Side;
  #leftover: Buffer | null;
  #isClosed = false;

  constructor(connection: HandedOver, far: FarEnd, upstream: Upstream) {
    this.#connection = connection;
    this.#upstream = upstream;
    this.#near = new Side(this, connection.transport, connection.socket);
    this.#far = new Side(this, far.transport, far.socket);
    this.#leftover = far.leftover;
    this.deadline = connection.now() + upstream.settings.timeouts.idleMs;
    upstream.counters.tunnels++;
  }

  begin(leftover: Buffer): void {
    this.#far.socket.owner = this.#far;
    const answered = this.#leftover as Buffer;
    this.#leftover = null;
    if (answered.length > 0) this.pass(this.#far, answered, answered.length);
    if (leftover.length > 0) this.pass(this.#near, leftover, leftover.length);
  }

  onData(bytes: Buffer, length: number): void {
    this.pass(this.#near, bytes, length);
  }

  onEnd(): void {
    this.end(this.#near);
  }

  onFailure(): void {
    this.close();
  }

  onWritten(): void {
    this.drained(this.#near);
  }

  onDeadline(): void {
    this.close();
  }

  /** Neither side can be told in its own language; what is left is cut off when the drain ends. */
  onDrain(): void {}

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#near.transport.destroy(this.#near.socket);
    this.#far.transport.destroy(this.#far.socket);
    this.#upstream.counters.tunnels--;
    this.#upstream.release();
    this.#connection.forget(this);
  }

  /** Bytes of `from` for the other side, which may keep them: the buffer that they came in is used again. */
  pass(from: Side, bytes: Buffer, length: number): void {
    if (this.#isClosed) return;
    const to = this.#other(from);
    this.#wait();
    const copy = Buffer.allocUnsafe(length);
    bytes.copy(copy, 0, 0, length);
    switch (to.transport.write(to.socket, copy)) {
      case WriteResult.pending:
        this.#pause(from);
        break;
      case WriteResult.failed:
        this.close();
        break;
      default:
    }
  }

  /** `side` has taken everything, so the other may go on. */
  drained(side: Side): void {
    if (this.#isClosed || side.transport.pendingBytes(side.socket) > 0) return;
    this.#wait();
    const other = this.#other(side);
    if (!other.isPaused) return;
    other.isPaused = false;
    other.transport.resume(other.socket);
  }

  end(side: Side): void {
    if (this.#isClosed) return;
    side.hasEnded = true;
    const other = this.#other(side);
    if (other.hasEnded) {
      this.close();
      return;
    }
    other.transport.end(other.socket);
    this.deadline = this.#connection.now() + HALF_CLOSED_MS;
  }

  #other(side: Side): Side {
    return side === this.#near ? this.#far : this.#near;
  }

  #pause(side: Side): void {
    if (side.isPaused) return;
    side.isPaused = true;
    side.transport.pause(side.socket);
  }

  #wait(): void {
    const isHalf = this.#near.hasEnded || this.#far.hasEnded;
    if (!isHalf) this.deadline = this.#connection.now() + this.#upstream.settings.timeouts.idleMs;
  }
}

/** One client that a program's own protocol is spoken with. Owns the socket, and what waits to be sent. */
import { Buffer } from 'node:buffer';
import { asBuffer } from '../http/as-buffer.ts';
import type { Address, PeerCredentials } from './address.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { OpenConnection, OpenedConnection } from './live-connection.ts';
import type { Bytes, Link, Protocol } from './protocol.ts';
import { type SocketOwner, type TransportSocket, WriteResult } from './transport.ts';

/** Beyond this the client is not read until it has read. */
const HIGH_WATER = 64 * 1024;
const DEFAULT_MAX_BUFFERED = 16 * 1024 ** 2;
/** For the client's FIN after ours. */
const ENDING_MS = 10_000;

const State = {
  open: 0,
  /** Our FIN follows what still waits. */
  ending: 1,
  /** Our FIN is out. */
  ended: 2,
  closed: 3,
} as const;

export function speaking<D>(protocol: Protocol<D>): OpenConnection {
  return (host, socket) => {
    const connection = new ProtocolConnection(host, socket, protocol);
    host.transport.attach(socket, connection);
    // The engine must own it first.
    queueMicrotask(() => connection.begin());
    return connection;
  };
}

class ProtocolConnection<D> implements OpenedConnection, SocketOwner, Link<D> {
  index = 0;
  deadline = Number.POSITIVE_INFINITY;
  data = undefined as D;
  readonly #host: ConnectionHost;
  /** Owned: destroyed in close(). */
  readonly #socket: TransportSocket;
  readonly #protocol: Protocol<D>;
  readonly #maxBuffered: number;
  #state: (typeof State)[keyof typeof State] = State.open;
  /** Owned: written when the kernel has taken what is under way. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #isPausedByProgram = false;
  #isPausedByUs = false;
  #hasClientEnded = false;

  constructor(host: ConnectionHost, socket: TransportSocket, protocol: Protocol<D>) {
    this.#host = host;
    this.#socket = socket;
    this.#protocol = protocol;
    this.#maxBuffered = protocol.maxBuffered ?? DEFAULT_MAX_BUFFERED;
  }

  get remote(): Address {
    return this.#host.transport.remoteAddress(this.#socket);
  }

  get local(): Address {
    return this.#host.transport.localAddress(this.#socket);
  }

  get peer(): PeerCredentials | null {
    return this.#host.transport.peerCredentials(this.#socket);
  }

  get bufferedAmount(): number {
    if (this.#state === State.closed) return 0;
    return this.#waitingBytes + (this.#isWriting ? this.#host.transport.pendingBytes(this.#socket) : 0);
  }

  get isClosed(): boolean {
    return this.#state === State.closed;
  }

  write(bytes: Bytes): boolean {
    if (this.#state !== State.open) return false;
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : asBuffer(bytes);
    if (buffer.length === 0) return !this.#isWriting;
    if (this.#isWriting) {
      this.#waiting.push(typeof bytes === 'string' ? buffer : Buffer.from(buffer));
      this.#waitingBytes += buffer.length;
      if (this.bufferedAmount > this.#maxBuffered) this.#cutOff();
      else this.#holdBack();
      return false;
    }
    return this.#send(buffer, typeof bytes === 'string');
  }

  end(last?: Bytes): void {
    if (last !== undefined) this.write(last);
    if (this.#state !== State.open) return;
    this.#state = State.ending;
    if (!this.#isWriting) this.#sendEnd();
  }

  close(): void {
    if (this.#state === State.closed) return;
    this.#state = State.closed;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#host.transport.destroy(this.#socket);
    this.#host.forget(this);
    this.#tell('close');
  }

  pause(): void {
    this.#isPausedByProgram = true;
    if (this.#state !== State.closed) this.#host.transport.pause(this.#socket);
  }

  resume(): void {
    this.#isPausedByProgram = false;
    this.#readOn();
  }

  timeout(ms: number): void {
    if (this.#state === State.ended) return;
    this.deadline = ms === 0 ? Number.POSITIVE_INFINITY : this.#host.clock.now + ms;
  }

  begin(): void {
    if (this.#state === State.open) this.#tell('open');
  }

  /** It has seen nothing of this connection yet, and is not bothered. */
  refuse(): void {
    this.#state = State.closed;
    this.#host.transport.destroy(this.#socket);
    this.#host.forget(this);
  }

  onData(bytes: Buffer, length: number): void {
    // After our end, what still comes is dropped.
    if (this.#state !== State.open) return;
    try {
      this.#protocol.data(this, bytes.subarray(0, length));
    } catch (error) {
      this.#fail(error);
    }
  }

  onEnd(): void {
    this.#hasClientEnded = true;
    if (this.#state === State.ended) this.close();
    else if (this.#protocol.end === undefined) this.end();
    else this.#tell('end');
  }

  onFailure(): void {
    this.close();
  }

  onWritten(): void {
    if (this.#state === State.closed) return;
    this.#isWriting = false;
    if (this.#waiting.length > 0) {
      const all = this.#waiting.length === 1 ? (this.#waiting[0] as Buffer) : Buffer.concat(this.#waiting);
      this.#waiting = [];
      this.#waitingBytes = 0;
      if (!this.#send(all, true)) return;
    }
    if (this.#state === State.ending) {
      this.#sendEnd();
      return;
    }
    this.#isPausedByUs = false;
    this.#readOn();
    this.#tell('drain');
  }

  onDeadline(): void {
    this.deadline = Number.POSITIVE_INFINITY;
    if (this.#state === State.ended || this.#protocol.timeout === undefined) this.close();
    else this.#tell('timeout');
  }

  onDrain(): void {
    if (this.#protocol.stop === undefined) this.end();
    else this.#tell('stop');
  }

  /** True if the kernel has taken all of it. `isOurs`: nobody else changes the bytes. */
  #send(bytes: Buffer, isOurs: boolean): boolean {
    const { transport } = this.#host;
    // A write that waits goes on after this call, when the program may have changed its bytes.
    switch (transport.write(this.#socket, isOurs ? bytes : Buffer.from(bytes))) {
      case WriteResult.done:
        return true;
      case WriteResult.pending:
        this.#isWriting = true;
        this.#holdBack();
        return false;
      default:
        this.close();
        return false;
    }
  }

  #holdBack(): void {
    if (this.#isPausedByUs || this.bufferedAmount <= HIGH_WATER) return;
    this.#isPausedByUs = true;
    this.#host.transport.pause(this.#socket);
  }

  #readOn(): void {
    if (this.#isPausedByUs || this.#isPausedByProgram || this.#state === State.closed) return;
    this.#host.transport.resume(this.#socket);
  }

  #sendEnd(): void {
    this.#state = State.ended;
    if (this.#hasClientEnded) {
      this.close();
      return;
    }
    this.#host.transport.end(this.#socket);
    this.deadline = this.#host.clock.now + ENDING_MS;
    // Whatever held the client back: its FIN is waited for.
    this.#isPausedByUs = false;
    this.#isPausedByProgram = false;
    this.#host.transport.resume(this.#socket);
  }

  /** A client that gets less than was written must notice. */
  #cutOff(): void {
    this.#host.transport.reset(this.#socket);
    this.close();
  }

  #tell(event: 'open' | 'end' | 'drain' | 'timeout' | 'stop' | 'close'): void {
    try {
      this.#protocol[event]?.(this);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#host.report(error);
    this.#cutOff();
  }
}

/**
 * A transport that is only memory: no sockets, and the client's end of each connection in the hands of a test. Everything happens
 * at once, in the call that causes it.
 */
import { Buffer } from 'node:buffer';
import type { Address } from './address.ts';
import {
  type Listener,
  type ListenOptions,
  type SocketOwner,
  type TcpListenOptions,
  type Transport,
  type TransportSocket,
  WriteResult,
  type WriteResultValue,
} from './transport.ts';

const CLIENT: Address = { address: '127.0.0.1', port: 1, family: 'IPv4' };
const SERVER: Address = { address: '127.0.0.1', port: 80, family: 'IPv4' };
/** What the server gets at once; as with sockets, larger pieces are cut. */
const READ_SIZE = 64 * 1024;

/** One connection, as its client sees it. */
export class MemoryConnection implements TransportSocket {
  owner: SocketOwner = undefined as unknown as SocketOwner;
  /** What the client has taken. */
  readonly received: Buffer[] = [];
  /** The server has sent its FIN, or has closed. */
  isEnded = false;
  /** The server has closed. */
  isDestroyed = false;
  /** The server has cut it off. */
  isReset = false;
  /** The server does not read. */
  isServerPaused = false;
  /** Called when something of the above has changed. */
  onChange: () => void = () => {};

  readonly #readBuffer: Buffer;
  #isAttached = false;
  /** The client does not take what is sent. */
  #isPaused = false;
  #pending: Buffer[] = [];
  /** Sent by the client, and not read yet. */
  #unread: Buffer[] = [];
  #hasEnded = false;
  #isEndDelivered = false;
  #isDelivering = false;

  constructor(readBuffer: Buffer) {
    this.#readBuffer = readBuffer;
  }

  /** Bytes that the client has not taken. */
  get pendingBytes(): number {
    return this.#pending.reduce((sum, { length }) => sum + length, 0);
  }

  /** The client sends. */
  write(bytes: Uint8Array): void {
    if (this.#hasEnded) throw new Error('a client must not write after its end');
    for (let at = 0; at < bytes.length; at += READ_SIZE) {
      this.#unread.push(Buffer.from(bytes.subarray(at, at + READ_SIZE)));
    }
    this.#deliver();
  }

  /** The client sends its FIN, and reads on. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#deliver();
  }

  /** The client is gone. */
  break(): void {
    this.#hasEnded = true;
    this.#unread = [];
    if (!this.isDestroyed) this.owner.onFailure();
  }

  /** The client takes nothing until `take` or `resume`. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.take();
  }

  /** The client takes what has been sent so far. False: there was nothing. */
  take(): boolean {
    const taken = this.#pending;
    if (taken.length === 0) return false;
    this.#pending = [];
    this.received.push(...taken);
    this.onChange();
    this.owner.onWritten();
    this.#deliver();
    return true;
  }

  // ---- The server's end, called by the transport.

  attach(owner: SocketOwner): void {
    this.owner = owner;
    this.#isAttached = true;
    this.#deliver();
  }

  pauseServer(): void {
    this.isServerPaused = true;
  }

  resumeServer(): void {
    if (!this.isServerPaused) return;
    this.isServerPaused = false;
    // Not from within the engine's own call.
    if (this.#unread.length > 0 || this.#hasEnded) queueMicrotask(() => this.#deliver());
  }

  send(bytes: Buffer): WriteResultValue {
    if (this.isEnded) throw new Error('nothing must be written after the end');
    const copy = Buffer.from(bytes);
    if (this.#isPaused) {
      this.#pending.push(copy);
      return WriteResult.pending;
    }
    this.received.push(copy);
    this.onChange();
    return WriteResult.done;
  }

  finish(): void {
    this.isEnded = true;
    this.onChange();
  }

  destroy(): void {
    this.isEnded = true;
    this.isDestroyed = true;
    this.#unread = [];
    this.#pending = [];
    this.onChange();
  }

  /** Hands over what the client has sent, as far as the server reads. */
  #deliver(): void {
    if (this.#isDelivering || !this.#isAttached) return;
    this.#isDelivering = true;
    try {
      while (!this.isServerPaused && !this.isDestroyed) {
        const bytes = this.#unread.shift();
        if (bytes === undefined) break;
        this.#readBuffer.set(bytes);
        this.owner.onData(this.#readBuffer, bytes.length);
        // As a shared buffer is: filled with other bytes by the next read.
        this.#readBuffer.fill(0xff, 0, bytes.length);
      }
      if (this.#hasEnded && !this.isServerPaused && !this.isDestroyed && this.#unread.length === 0) this.#deliverEnd();
    } finally {
      this.#isDelivering = false;
    }
  }

  #deliverEnd(): void {
    if (this.#isEndDelivered) return;
    this.#isEndDelivered = true;
    this.owner.onEnd();
  }
}

export class MemoryTransport implements Transport {
  readonly name = 'memory';
  readonly #readBuffer = Buffer.alloc(READ_SIZE);
  #accept: ((socket: TransportSocket) => void) | null = null;

  /** A new client. */
  connect(): MemoryConnection {
    if (this.#accept === null) throw new Error('the server does not listen');
    const connection = new MemoryConnection(this.#readBuffer);
    this.#accept(connection);
    return connection;
  }

  async assertFree(): Promise<void> {}

  async tryLock(): Promise<() => void> {
    return () => {};
  }

  async listen(options: ListenOptions, onSocket: (socket: TransportSocket) => void): Promise<Listener> {
    this.#accept = onSocket;
    const close = () => {
      this.#accept = null;
    };
    const { address = '', port = 0 } = options as Partial<TcpListenOptions>;
    return { address, port, close, drain: async () => close(), ref() {}, unref() {} };
  }

  attach(socket: TransportSocket, owner: SocketOwner): void {
    asMemory(socket).attach(owner);
  }

  pause(socket: TransportSocket): void {
    asMemory(socket).pauseServer();
  }

  resume(socket: TransportSocket): void {
    asMemory(socket).resumeServer();
  }

  write(socket: TransportSocket, bytes: Buffer): WriteResultValue {
    return asMemory(socket).send(bytes);
  }

  pendingBytes(socket: TransportSocket): number {
    return asMemory(socket).pendingBytes;
  }

  remoteAddress(): Address {
    return CLIENT;
  }

  localAddress(): Address {
    return SERVER;
  }

  peerCredentials(): null {
    return null;
  }

  end(socket: TransportSocket): void {
    asMemory(socket).finish();
  }

  reset(socket: TransportSocket): void {
    asMemory(socket).isReset = true;
  }

  destroy(socket: TransportSocket): void {
    asMemory(socket).destroy();
  }
}

function asMemory(socket: TransportSocket): MemoryConnection {
  return socket as MemoryConnection;
}

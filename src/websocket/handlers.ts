/** What programs see of WebSockets, in Bun's shape: the handlers, their options, a client. */
import type { Buffer } from 'node:buffer';

type Awaitable<T> = T | Promise<T>;

export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'uint8array';
export type BinaryData = ArrayBufferLike | ArrayBufferView;

/** One client, from `open` to `close`. */
export interface Socket<D = unknown> {
  /** The program's own. */
  data: D;
  /** The form in which `message` gets binary messages. Default 'nodebuffer'. */
  binaryType: BinaryType;
  /** The subprotocol of the handshake, or "". */
  readonly protocol: string;
  readonly remoteAddress: string;
  /** 1: open, 2: closing, 3: closed. */
  readonly readyState: 1 | 2 | 3;
  /** Bytes sent that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /** Topics. */
  readonly subscriptions: string[];
  /** Returns the message's bytes, 0 if it was dropped, or -1 if it is waiting for the client; `drain` follows. */
  send(data: string | BinaryData, compress?: boolean): number;
  sendText(text: string, compress?: boolean): number;
  sendBinary(data: BinaryData, compress?: boolean): number;
  /** At most 125 bytes; returns what `send` does. */
  ping(data?: string | Uint8Array): number;
  pong(data?: string | Uint8Array): number;
  /** Begins the closing handshake, by default with 1000. `close` is called when the client has answered, or after ten seconds without progress. */
  close(code?: number, reason?: string): void;
  /** Ends at once, without a close frame. */
  terminate(): void;
  /** Everything that `work` sends leaves in one write. */
  cork<T>(work: (socket: this) => T): T;
  getBufferedAmount(): number;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  isSubscribed(topic: string): boolean;
  /** Reaches all subscribers in all workers, this socket only with `publishToSelf`. Bytes of the payload, 0 if nobody has subscribed. */
  publish(topic: string, data: string | BinaryData, compress?: boolean): number;
  publishText(topic: string, text: string, compress?: boolean): number;
  publishBinary(topic: string, data: BinaryData, compress?: boolean): number;
}

/** Bun's compressors: shared by all clients, or one for each client that uses about that much memory. */
export type CompressorName =
  | 'disable'
  | 'shared'
  | 'dedicated'
  | '3KB'
  | '4KB'
  | '8KB'
  | '16KB'
  | '32KB'
  | '64KB'
  | '128KB'
  | '256KB';

export interface PerMessageDeflate {
  /** Default 'shared': messages do not refer to earlier ones. `false`: we compress nothing that we send. */
  readonly compress?: boolean | CompressorName;
  /** Default 'shared'. */
  readonly decompress?: boolean | CompressorName;
  /** Shorter messages, in bytes, are compressed only if `send` says so. Default 1024. */
  readonly threshold?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: a socket's data belong to the program; Bun's type has the same default.
export interface SocketHandlers<D = any> {
  open?(socket: Socket<D>): Awaitable<void>;
  message(socket: Socket<D>, data: string | Buffer): Awaitable<void>;
  /** Everything that was waiting has been sent. Called after a `send` that returned -1. */
  drain?(socket: Socket<D>): Awaitable<void>;
  /** Once per socket. 1006: the connection ended without a close frame. */
  close?(socket: Socket<D>, code: number, reason: string): Awaitable<void>;
  /** The pong has been sent already. */
  ping?(socket: Socket<D>, data: Buffer): Awaitable<void>;
  pong?(socket: Socket<D>, data: Buffer): Awaitable<void>;
  /** Bytes of a whole, decompressed message; a longer one closes the connection with 1009. Default 16 MiB. */
  maxPayloadLength?: number;
  /** Bytes that may wait for a slow reader. A message that would exceed it is dropped, and `send` returns 0. Default 16 MiB. */
  backpressureLimit?: number;
  /** Disconnects such a reader (1006) instead. Default false. */
  closeOnBackpressureLimit?: boolean;
  /** Seconds in which the client may send nothing, or take nothing of what is waiting; 0: no limit. Default 120. */
  idleTimeout?: number;
  /** Pings a client that has been silent for half the idle timeout. Default true. */
  sendPings?: boolean;
  /** `socket.publish` reaches the socket itself too. Default false. */
  publishToSelf?: boolean;
  /** Default false. */
  perMessageDeflate?: boolean | PerMessageDeflate;
}

/** Handlers and options of WebSockets, in Bun's shape: types, defaults, checks. */
import type { Buffer } from 'node:buffer';
import { canKeepContext } from './deflate.ts';
import type { DeflateOptions } from './deflate-negotiation.ts';
import type { ServerSocket } from './socket.ts';

type Awaitable<T> = T | Promise<T>;

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
  open?(socket: ServerSocket<D>): Awaitable<void>;
  message(socket: ServerSocket<D>, data: string | Buffer): Awaitable<void>;
  /** Everything that was waiting has been sent. Called after a `send` that returned -1. */
  drain?(socket: ServerSocket<D>): Awaitable<void>;
  /** Once per socket. 1006: the connection ended without a close frame. */
  close?(socket: ServerSocket<D>, code: number, reason: string): Awaitable<void>;
  /** The pong has been sent already. */
  ping?(socket: ServerSocket<D>, data: Buffer): Awaitable<void>;
  pong?(socket: ServerSocket<D>, data: Buffer): Awaitable<void>;
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

/** Handlers and checked options, as sockets use them. */
export interface SocketSettings {
  readonly handlers: SocketHandlers;
  readonly maxPayloadLength: number;
  readonly backpressureLimit: number;
  readonly closeOnBackpressureLimit: boolean;
  /** Infinity: no limit. */
  readonly idleTimeoutMs: number;
  readonly sendPings: boolean;
  readonly publishToSelf: boolean;
  readonly deflate: DeflateOptions | null;
}

const MIB = 1024 * 1024;

/** Window bits and zlib's memory level, as in uWebSockets and therefore Bun. */
const SIZES: Readonly<Record<string, readonly [windowBits: number, memoryLevel: number]>> = {
  '3KB': [9, 1],
  '4KB': [9, 2],
  '8KB': [10, 3],
  '16KB': [11, 4],
  '32KB': [12, 5],
  '64KB': [13, 6],
  '128KB': [14, 7],
  '256KB': [15, 8],
  dedicated: [15, 8],
};

/** Throws a RangeError that names the option. */
export function resolveSettings(handlers: SocketHandlers): SocketSettings {
  if (typeof handlers.message !== 'function') throw new TypeError('websocket.message must be a function');
  const idleSeconds = wholeNumber('idleTimeout', handlers.idleTimeout ?? 120);
  const { perMessageDeflate = false } = handlers;
  return {
    handlers,
    maxPayloadLength: wholeNumber('maxPayloadLength', handlers.maxPayloadLength ?? 16 * MIB),
    backpressureLimit: wholeNumber('backpressureLimit', handlers.backpressureLimit ?? 16 * MIB),
    closeOnBackpressureLimit: handlers.closeOnBackpressureLimit ?? false,
    idleTimeoutMs: idleSeconds === 0 ? Number.POSITIVE_INFINITY : idleSeconds * 1000,
    sendPings: handlers.sendPings ?? true,
    publishToSelf: handlers.publishToSelf ?? false,
    deflate: perMessageDeflate === false ? null : resolveDeflate(perMessageDeflate === true ? {} : perMessageDeflate),
  };
}

function resolveDeflate({
  compress = 'shared',
  decompress = 'shared',
  threshold = 1024,
}: PerMessageDeflate): DeflateOptions {
  const [serverWindowBits, memoryLevel] = sizeOf('compress', compress);
  const [clientWindowBits] = sizeOf('decompress', decompress);
  return {
    serverKeepsContext: canKeepContext && isDedicated(compress),
    clientKeepsContext: canKeepContext && isDedicated(decompress),
    serverWindowBits,
    clientWindowBits,
    compresses: compress !== false && compress !== 'disable',
    memoryLevel,
    threshold: wholeNumber('perMessageDeflate.threshold', threshold),
  };
}

function isDedicated(name: boolean | CompressorName): boolean {
  return typeof name === 'string' && name in SIZES;
}

function sizeOf(option: string, name: boolean | CompressorName): readonly [number, number] {
  if (typeof name === 'boolean' || name === 'shared' || name === 'disable') return [15, 8];
  const size = SIZES[name];
  if (size === undefined) {
    const names = ['disable', 'shared', ...Object.keys(SIZES)].join(', ');
    throw new RangeError(`websocket.perMessageDeflate.${option} must be one of ${names}, got ${JSON.stringify(name)}`);
  }
  return size;
}

function wholeNumber(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`websocket.${name} must be a whole number from 0, got ${value}`);
  return value;
}

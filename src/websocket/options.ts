/** The options of WebSockets: their defaults and checks. */
import { canKeepContext } from './deflate.ts';
import type { DeflateOptions } from './deflate-negotiation.ts';
import type { CompressorName, PerMessageDeflate, SocketHandlers } from './handlers.ts';

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

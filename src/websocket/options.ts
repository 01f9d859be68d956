/** The options of WebSockets: their defaults and checks. */
import {
  BOOLEAN,
  checkShape,
  checkValue,
  either,
  FUNCTION,
  OBJECT,
  type Shape,
  type ValueRule,
  wholeNumber,
} from '../rules/shape.ts';
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

const SHAPE: Shape = {
  rules: {
    open: FUNCTION,
    message: FUNCTION,
    drain: FUNCTION,
    close: FUNCTION,
    ping: FUNCTION,
    pong: FUNCTION,
    maxPayloadLength: wholeNumber(0),
    backpressureLimit: wholeNumber(0),
    closeOnBackpressureLimit: BOOLEAN,
    idleTimeout: wholeNumber(0),
    sendPings: BOOLEAN,
    publishToSelf: BOOLEAN,
    perMessageDeflate: either(BOOLEAN, OBJECT),
  } satisfies { readonly [Name in keyof SocketHandlers]-?: unknown },
  // By which Bun's types learn those of `socket.data`.
  ignored: new Set(['data']),
};

const COMPRESSOR: ValueRule = {
  words: `true, false or one of ${['disable', 'shared', ...Object.keys(SIZES)].join(', ')}`,
  holds: (value) => typeof value === 'boolean' || value === 'shared' || value === 'disable' || isDedicated(value),
};
const DEFLATE_SHAPE: Shape = {
  rules: { compress: COMPRESSOR, decompress: COMPRESSOR, threshold: wholeNumber(0) },
};

/** Throws a TypeError or RangeError that names the option. */
export function resolveSettings(handlers: SocketHandlers): SocketSettings {
  checkShape(handlers, 'websocket.', SHAPE);
  checkValue(handlers.message ?? null, 'websocket.message', FUNCTION);
  const { perMessageDeflate = false, idleTimeout: idleSeconds = 120 } = handlers;
  return {
    handlers,
    maxPayloadLength: handlers.maxPayloadLength ?? 16 * MIB,
    backpressureLimit: handlers.backpressureLimit ?? 16 * MIB,
    closeOnBackpressureLimit: handlers.closeOnBackpressureLimit ?? false,
    idleTimeoutMs: idleSeconds === 0 ? Number.POSITIVE_INFINITY : idleSeconds * 1000,
    sendPings: handlers.sendPings ?? true,
    publishToSelf: handlers.publishToSelf ?? false,
    deflate: perMessageDeflate === false ? null : resolveDeflate(perMessageDeflate === true ? {} : perMessageDeflate),
  };
}

function resolveDeflate(given: PerMessageDeflate): DeflateOptions {
  checkShape(given, 'websocket.perMessageDeflate.', DEFLATE_SHAPE);
  const { compress = 'shared', decompress = 'shared', threshold = 1024 } = given;
  const [serverWindowBits, memoryLevel] = sizeOf(compress);
  const [clientWindowBits] = sizeOf(decompress);
  return {
    serverKeepsContext: canKeepContext && isDedicated(compress),
    clientKeepsContext: canKeepContext && isDedicated(decompress),
    serverWindowBits,
    clientWindowBits,
    compresses: compress !== false && compress !== 'disable',
    memoryLevel,
    threshold,
  };
}

function isDedicated(name: unknown): name is string {
  return typeof name === 'string' && Object.hasOwn(SIZES, name);
}

function sizeOf(name: boolean | CompressorName): readonly [number, number] {
  return SIZES[name as string] ?? [15, 8];
}

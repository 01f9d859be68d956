/** What a connection may cost. The options own the defaults (`cli/`); times are in milliseconds. */
import type { RequestLimits } from '../http/limits.ts';

export interface EngineLimits extends RequestLimits {
  /** Connections at once, all workers together; beyond it 503. */
  readonly maxConnections: number;
  /** Requests on one connection; the last answer says "Connection: close". Infinity: no limit. */
  readonly maxRequests: number;
  /** A connection without a request is closed after this, without an answer. */
  readonly idleTimeoutMs: number;
  /** From the first byte of a head to its last; beyond it 408. */
  readonly headerTimeoutMs: number;
  /** Without any progress of the content; beyond it 408. */
  readonly bodyTimeoutMs: number;
  /** From the first byte of a head to the last of the content; beyond it 408. */
  readonly requestTimeoutMs: number;
  /** Content that no handler reads is dropped up to this; beyond it the connection closes after the answer. */
  readonly maxDropped: number;
  /** From the call of a handler to its answer; beyond it 503. Infinity: no limit. */
  readonly handlerTimeoutMs: number;
  /** A client that takes nothing of an answer for this long is cut off. */
  readonly sendTimeoutMs: number;
}

/** After a close the client may still send: read and drop it, and give up after this long without a FIN … */
export const LINGER_QUIET_MS = 2000;
/** … and after this long in any case. */
export const LINGER_MAX_MS = 10_000;
/** Connections beyond the limit that get a 503; further ones are closed at once, without an answer. */
export const REFUSED_AT_ONCE = 32;

/** Limits that no test reaches unless it lowers them. */
import type { EngineLimits } from '../../src/engine/limits.ts';

export const LIMITS: EngineLimits = {
  maxRequestLine: 8192,
  maxHeaderSize: 8192,
  maxHeaderCount: 100,
  maxBodySize: 1024 ** 2,
  maxConnections: 1000,
  maxRequests: Number.POSITIVE_INFINITY,
  idleTimeoutMs: 30_000,
  headerTimeoutMs: 30_000,
  bodyTimeoutMs: 30_000,
  handlerTimeoutMs: Number.POSITIVE_INFINITY,
  maxDropped: Number.POSITIVE_INFINITY,
  requestTimeoutMs: 30_000,
  sendTimeoutMs: 30_000,
};

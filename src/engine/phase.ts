/** What a connection waits for, and until when. */
import type { EngineLimits } from './limits.ts';

/** Each phase has its own deadline. */
export const Phase = {
  /** The next request. */
  idle: 0,
  /** The rest of a head. */
  head: 1,
  /** The rest of the content. */
  body: 2,
  /** The handler, for its answer. */
  handler: 3,
  /** The handler, for the next piece of its answer. */
  stream: 4,
  /** The kernel, to take bytes. */
  send: 5,
  /** The client, to take the last answer and to close. */
  linger: 6,
  closed: 7,
} as const;
export type PhaseValue = (typeof Phase)[keyof typeof Phase];

/** What deadlines depend on besides the limits; times on the engine's clock, in milliseconds. */
export interface Moment {
  readonly now: number;
  readonly idleDeadline: number;
  /** When the request began to arrive. */
  readonly requestStart: number;
  /** Set by the handler; -1: the limits apply, 0: no limit. */
  readonly timeoutMs: number;
}

export function deadlineOf(phase: PhaseValue, limits: EngineLimits, moment: Moment): number {
  const { now, requestStart } = moment;
  switch (phase) {
    case Phase.idle:
      return moment.idleDeadline;
    case Phase.head:
      return requestStart + limits.headerTimeoutMs;
    case Phase.body:
      return Math.min(requestStart + limits.requestTimeoutMs, now + limits.bodyTimeoutMs);
    case Phase.handler:
      return now + handlerTimeoutMs(moment.timeoutMs, limits.handlerTimeoutMs);
    case Phase.stream:
      return now + handlerTimeoutMs(moment.timeoutMs, Number.POSITIVE_INFINITY);
    case Phase.send:
      return now + limits.sendTimeoutMs;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

function handlerTimeoutMs(set: number, limit: number): number {
  if (set < 0) return limit;
  return set === 0 ? Number.POSITIVE_INFINITY : set;
}

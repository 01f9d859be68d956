/** What is counted of one upstream, in one worker. All but `active`, `idle`, `waiting` and `tunnels` only grow. */
import { FAILURES, type FailureReason } from './failures.ts';

export interface UpstreamCounters {
  /** Requests that were given to it; attempts, so a request that is tried twice counts twice. */
  requests: number;
  /** Final answers by the first digit of their status, from 1 to 5; [0] is unused. */
  readonly answers: number[];
  readonly failures: Record<FailureReason, number>;
  /** Attempts after a failure of this upstream. */
  retries: number;
  /** Connections that were made. */
  connections: number;
  /** Connections on which something came that nobody had asked for. */
  unsolicited: number;
  bytesIn: number;
  bytesOut: number;
  /** From the request to the head of the answer: sum over all answers, in milliseconds. By a coarse clock, so only the mean means something. */
  waitMs: number;
  /** How often it was taken out for its failures. */
  ejections: number;
  checks: number;
  failedChecks: number;
  /** Requests under way, tunnels included. */
  active: number;
  /** Idle connections. */
  idle: number;
  /** Requests that wait for a place. */
  waiting: number;
  /** WebSockets and the like. */
  tunnels: number;
}

export function newCounters(): UpstreamCounters {
  const failures = Object.fromEntries(Object.keys(FAILURES).map((reason) => [reason, 0]));
  return {
    requests: 0,
    answers: [0, 0, 0, 0, 0, 0],
    failures: failures as Record<FailureReason, number>,
    retries: 0,
    connections: 0,
    unsolicited: 0,
    bytesIn: 0,
    bytesOut: 0,
    waitMs: 0,
    ejections: 0,
    checks: 0,
    failedChecks: 0,
    active: 0,
    idle: 0,
    waiting: 0,
    tunnels: 0,
  };
}

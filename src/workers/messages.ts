/** What the supervisor and its threads tell each other. */

import type { SharedCounters } from '../engine/counters.ts';
import type { EngineLimits } from '../engine/limits.ts';
import type { TransportName } from '../engine/transport.ts';
import type { ChannelNews } from '../websocket/channels.ts';
import type { Endpoint } from './endpoint.ts';
import type { WebSource, WorkerApp } from './worker-app.ts';

export interface ServeOptions {
  readonly app: WorkerApp;
  readonly endpoint: Endpoint;
  readonly limits: EngineLimits;
  readonly transport: TransportName;
}

/** A thread's workerData. */
export interface ThreadData {
  readonly options: ServeOptions;
  readonly counters: SharedCounters;
  readonly worker: number;
}

export type FromThread =
  | { readonly type: 'listening' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'drained' }
  | { readonly type: 'trimmed'; readonly isDone: boolean }
  /** Serves by the new source, or says why it does not. */
  | { readonly type: 'taken'; readonly failure: string | null };

export type ToThread =
  | { readonly type: 'announceDrain' }
  | { readonly type: 'drain'; readonly timeoutMs: number }
  | { readonly type: 'trim' }
  | { readonly type: 'take'; readonly source: WebSource };

/** Instead of arguments, for a process that a manager has started. */
export const WORKER_COMMAND = '--worker-process';

/** What a manager tells a worker process. */
export type ToProcess =
  | { readonly type: 'serve'; readonly options: ServeOptions; readonly worker: number; readonly isAnnounced: boolean }
  | { readonly type: 'announceDrain' }
  | { readonly type: 'drain'; readonly timeoutMs: number }
  | { readonly type: 'news'; readonly news: ChannelNews };

/** What a worker process says beyond signs of life. */
export type FromProcess =
  | { readonly type: 'counts'; readonly connections: number; readonly requests: number }
  | ({ readonly type: 'drained' } & Drained)
  /** Of its WebSockets, for the other workers. */
  | { readonly type: 'news'; readonly news: ChannelNews };

/** What a drain came to. */
export interface Drained {
  /** Connections that were open when it began. */
  readonly connections: number;
  /** Requests answered since it was asked for. */
  readonly requests: number;
  /** Connections that were still open at the deadline. */
  readonly cutOff: number;
}

/** All workers of one server, whether threads or processes. */
export interface Workers {
  readonly address: string;
  readonly port: number;
  /** How many there are. */
  readonly workers: number;
  /** The system's code for why there are fewer workers than were asked for, or null if there are not. */
  readonly shortage: string | null;
  /** Connections that are open now. */
  readonly connections: number;
  /** Requests answered by each worker so far, modulo 2^32. */
  requests(): number[];
  /** From now on every answer says "Connection: close"; goes on accepting. */
  announceDrain(): void;
  /**
   * Answers what has been accepted and ends every worker, within `timeoutMs`. One that hangs is left behind, or killed.
   * Requests are counted from `before` on, a result of `requests()`.
   */
  drain(timeoutMs: number, before?: readonly number[]): Promise<Drained>;
  /** Ends what would outlive this process. */
  kill(): void;
  /** A bug of ours outside every request of this process: its connections are lost, the server goes on. */
  survive(error: unknown): void;
}

/** Part of a drain's time that is left, after the last answers, to report its completion and to end the threads. */
export function endingTime(timeoutMs: number): number {
  return Math.min(250, timeoutMs / 4);
}

/** What the supervisor and its threads tell each other. */
import type { AppSource } from '../app/source.ts';
import type { SharedCounters } from '../engine/counters.ts';
import type { EngineLimits } from '../engine/limits.ts';
import type { TransportName } from '../engine/transport.ts';
import type { Endpoint } from './endpoint.ts';

export interface ServeOptions {
  readonly app: AppSource;
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
  | { readonly type: 'trimmed'; readonly isDone: boolean };

export type ToThread =
  | { readonly type: 'announceDrain' }
  | { readonly type: 'drain'; readonly timeoutMs: number }
  | { readonly type: 'trim' };

/** Part of a drain's time that is left, after the last answers, to report its completion and to end the threads. */
export function endingTime(timeoutMs: number): number {
  return Math.min(250, timeoutMs / 4);
}

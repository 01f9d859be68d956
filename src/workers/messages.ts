/** What the supervisor and its threads tell each other. */
import type { SharedCounters } from '../engine/engine.ts';
import type { EngineLimits } from '../engine/limits.ts';

export interface ServeOptions {
  /** IPv4 or IPv6 address. */
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits: EngineLimits;
  /** Keeps to `node:net`'s public interfaces. */
  readonly usesNet: boolean;
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

export type ToThread = { readonly type: 'drain'; readonly timeoutMs: number } | { readonly type: 'trim' };

/** Which worker of a server this is, and what it shares with the others. */
import { isMainThread, type MessagePort, workerData } from 'node:worker_threads';
import { createCounters, type SharedCounters } from '../engine/counters.ts';
import type { SharedTls } from '../tls/server-tls.ts';

export interface WorkerPlace {
  /** From 0. */
  readonly index: number;
  readonly count: number;
  readonly counters: SharedCounters;
  /** Names the channel on which the workers' WebSockets reach each other. */
  readonly relayName: string;
  /** Set by worker 0 before it starts the others; null without TLS. */
  readonly tls: SharedTls | null;
}

/** What a thread is started with: its place in the server that has started it. */
export interface Joining {
  /** Which call of `serve()` in the entry module joins in, from 0. */
  readonly call: number;
  readonly place: WorkerPlace;
  /** On which the server listens already. */
  readonly port: number;
  readonly control: MessagePort;
}

export type ToThread = { readonly type: 'end'; readonly graceMs: number };

export type FromThread =
  | { readonly type: 'listening' }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly message: string }
  | { readonly type: 'ended' };

export function firstPlace(count: number): WorkerPlace {
  return {
    index: 0,
    count,
    counters: createCounters(count),
    relayName: `vrypt-server ${crypto.randomUUID()}`,
    tls: null,
  };
}

/** Null if this thread was not started by a server. */
export function joiningOf(): Joining | null {
  if (isMainThread || typeof workerData !== 'object' || workerData === null) return null;
  return (workerData as { vryptServer?: Joining }).vryptServer ?? null;
}

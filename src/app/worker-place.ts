/** Which worker of a server this is, and what it shares with the others. */
import type { SharedCounters } from '../engine/counters.ts';
import { createCounters } from '../engine/counters.ts';

export interface WorkerPlace {
  /** From 0. */
  readonly index: number;
  readonly count: number;
  readonly counters: SharedCounters;
  /** Names the channel on which the workers' WebSockets reach each other. */
  readonly relayName: string;
}

export function firstPlace(count: number): WorkerPlace {
  return { index: 0, count, counters: createCounters(count), relayName: `vrypt-server ${crypto.randomUUID()}` };
}

/**
 * Gives back the memory that only the start needed: 3.5 of 10 MB per thread. V8 would do so when memory runs short, and an idle
 * server's never does. Works only within `withTrimming` of worker 0, see trimming.ts.
 */
import { runInNewContext } from 'node:vm';
import type { Engine } from '../engine/engine.ts';

type CollectGarbage = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/** Trims unless somebody is connected, whose request it would hold up; returns whether it did. */
export function trimWhereIdle(engine: Engine): boolean {
  if (engine.connectionCount > 0 || engine.isDraining) return false;
  trimHeap();
  return true;
}

/** Takes 8 to 15 ms, in which nothing is served: for a moment without connections. */
export function trimHeap(): void {
  // A context of its own, because `gc` is known only in those made since worker 0 has set the flag.
  const collectGarbage: CollectGarbage = runInNewContext('gc');
  collectGarbage({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

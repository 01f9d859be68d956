/**
 * Gives back the memory that only the start needed: 3.5 of 10 MB per thread. V8 would do so when memory runs short, and an idle
 * server's never does. Every worker trims its heap once, while nobody is connected to it; worker 0 says when.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { WorkerEngine } from './worker-engine.ts';

type CollectGarbage = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;
/** Resolves with whether the worker has trimmed its heap: it does not while somebody is connected to it. */
export type Trim = () => boolean | Promise<boolean>;

/** Between tries, for workers that were busy. */
const NEXT_TRY_MS = 30_000;

/** Makes `gc` known, and lets it drop the bytecode of every function that is not running: most ran once, at the start. */
const FLAGS = ['expose-gc', 'stress-flush-code'];

/** Runs in worker 0. A thread that is started again later is not trimmed. */
export async function trimWorkers(engine: WorkerEngine, ofThreads: readonly Trim[]): Promise<void> {
  // Worker 0 last, for what the others leave in it.
  let waiting: readonly Trim[] = [...ofThreads, () => trimIfIdle(engine)];
  while (!engine.isDraining) {
    waiting = await withTrimmingFlags(() => tryEach(waiting));
    if (waiting.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, NEXT_TRY_MS).unref());
  }
}

/**
 * V8's flags belong to the process: only worker 0 sets them, and only for as long as it takes. The code cache of Node's own
 * modules fits the usual flags only: a thread that starts meanwhile compiles the modules again, which takes it 30 ms more.
 */
export async function withTrimmingFlags<T>(work: () => Promise<T>): Promise<T> {
  for (const flag of FLAGS) setFlagsFromString(`--${flag}`);
  try {
    return await work();
  } finally {
    for (const flag of FLAGS) setFlagsFromString(`--no-${flag}`);
  }
}

/** Returns false, and does nothing, if a connection is open (its request would have to wait), or if it cannot. */
export function trimIfIdle(engine: WorkerEngine): boolean {
  if (engine.connectionCount > 0 || engine.isDraining) return false;
  return trimHeap();
}

/**
 * Blocks this worker for 8 to 15 ms. Works only within `withTrimmingFlags` of worker 0; returns false if somebody has taken a flag back
 * meanwhile (engine/young-pieces.ts does, once in a thread).
 */
export function trimHeap(): boolean {
  // `gc` exists only in contexts made after the flag was set.
  const collectGarbage: CollectGarbage | undefined = runInNewContext('globalThis.gc');
  collectGarbage?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  return collectGarbage !== undefined;
}

/** One after the other, so that at most one worker stops serving. Returns those that were busy. */
async function tryEach(trims: readonly Trim[]): Promise<Trim[]> {
  const busy: Trim[] = [];
  for (const trim of trims) if (!(await trim())) busy.push(trim);
  return busy;
}

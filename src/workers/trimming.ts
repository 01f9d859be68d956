/** Has every worker trim its heap once, each in a moment when nobody is connected to it. Runs in worker 0. */
import { setFlagsFromString } from 'node:v8';
import type { Engine } from '../engine/engine.ts';
import type { Thread } from './thread.ts';
import { trimWhereIdle } from './trim-heap.ts';

/** Between tries, for workers that were busy. */
const NEXT_TRY_MS = 30_000;

/** Makes `gc` known, and lets it drop the bytecode of every function that is not running: most ran once, at the start. */
const FLAGS = ['expose-gc', 'stress-flush-code'];

/** A thread that starts again later is not trimmed. */
export async function trimWhenIdle(engine: Engine, threads: readonly Thread[]): Promise<void> {
  // Worker 0 last, for what the others leave in it.
  let waiting = [...threads.map((thread) => () => thread.trim()), async () => trimWhereIdle(engine)];
  while (!engine.isDraining) {
    waiting = await withTrimming(() => tryEach(waiting));
    if (waiting.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, NEXT_TRY_MS).unref());
  }
}

/**
 * V8's flags are the process's: they are set here alone, and only for as long as it takes. The code cache of Node's own
 * modules is good for the usual flags: a thread that starts meanwhile compiles them anew, which takes it 30 ms more.
 */
export async function withTrimming<T>(work: () => Promise<T>): Promise<T> {
  for (const flag of FLAGS) setFlagsFromString(`--${flag}`);
  try {
    return await work();
  } finally {
    for (const flag of FLAGS) setFlagsFromString(`--no-${flag}`);
  }
}

/** One after the other, so that one worker at most is not serving. Returns those that were busy. */
async function tryEach(trims: readonly (() => Promise<boolean>)[]): Promise<(() => Promise<boolean>)[]> {
  const busy: (() => Promise<boolean>)[] = [];
  for (const trim of trims) if (!(await trim())) busy.push(trim);
  return busy;
}

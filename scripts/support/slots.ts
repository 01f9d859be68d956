/** Limits the steps that run at the same time to the number of cores. */
import { availableParallelism } from 'node:os';

export const cores: number = availableParallelism();

export async function withSlot<T>(work: () => Promise<T>): Promise<T> {
  if (busy >= cores) await new Promise<void>((resolve) => waiting.push(resolve));
  else busy++;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) busy--;
    else next();
  }
}

let busy = 0;
const waiting: (() => void)[] = [];

/** A thread of a long fuzz run: its share of the inputs, from its own seed. */
import { parentPort, workerData } from 'node:worker_threads';
import { fuzz, readCorpus } from './fuzz.ts';

export interface ThreadData {
  readonly seed: number;
  readonly count: number;
  /** The number of inputs started, then the current one: its length and its bytes. */
  readonly progress: Int32Array<SharedArrayBuffer>;
  readonly present: Uint8Array<SharedArrayBuffer>;
}

const { seed, count, progress, present } = workerData as ThreadData;

const result = fuzz(seed, count, readCorpus(), (input) => {
  progress[0] = (progress[0] as number) + 1;
  progress[1] = input.length;
  present.set(input);
});
parentPort?.postMessage(result);

/** Millions of inputs through the parser, on every core, at low priority. */
import { availableParallelism, constants, setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { escapeInput, type FuzzResult } from '../fuzz/fuzz.ts';
import type { ThreadData } from '../fuzz/thread.ts';
import { finding, type Proof } from './proof.ts';

const DEFAULT_COUNT = 5_000_000;
const LONGEST_INPUT = 64 * 1024;
/** An input takes microseconds, so this long without a new one is a hang. */
const HANG_MS = 20_000;

export const fuzzing: Proof = {
  title: 'inputs through the parser, whole and in pieces; arguments: count, seed',
  async run({ args, say }) {
    const count = Number(args[0] ?? DEFAULT_COUNT);
    const seed = Number(args[1] ?? Date.now() % 2 ** 31);
    const threads = availableParallelism();
    setPriority(constants.priority.PRIORITY_LOW);
    say(`seed ${seed}, ${count} inputs, ${threads} threads`);
    const start = performance.now();
    const share = Math.ceil(count / threads);
    const runs = Array.from({ length: threads }, (_, index) => run(seed + index, share, say));
    const results = await Promise.all(runs);
    const inputs = results.reduce((sum, result) => sum + result.inputs, 0);
    const kinds = Math.max(...results.map(({ kept }) => kept.length));
    const failures = results.flatMap(({ failure }) => (failure === null ? [] : [failure]));
    for (const { input, message } of failures) say(`failing input: ${escapeInput(input)}\n${message}`);
    const seconds = Math.round((performance.now() - start) / 1000);
    const isMet = failures.length === 0 && inputs >= count;
    const figure = `${inputs} inputs, each ×3 ways ×2 limits, ${failures.length} failures, ${kinds} kinds of outcome, ${seconds} s, seed ${seed}`;
    return [finding('exceptions, hangs, disagreements', figure, `≥ ${count} inputs, 0 failures`, isMet)];
  },
};

function run(seed: number, count: number, say: (text: string) => void): Promise<FuzzResult> {
  const progress = new Int32Array(new SharedArrayBuffer(8));
  const present = new Uint8Array(new SharedArrayBuffer(LONGEST_INPUT));
  const workerData: ThreadData = { seed, count, progress, present };
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('../fuzz/thread.ts', import.meta.url), { workerData });
    let last = -1;
    let ticks = 0;
    const watch = setInterval(() => {
      const begun = progress[0] as number;
      if (begun === last) {
        const input = Buffer.from(present.slice(0, progress[1])).toString('latin1');
        void worker.terminate();
        resolve({ inputs: begun, kept: [], failure: { input, message: `hangs for ${HANG_MS} ms` } });
      }
      last = begun;
      // Each input is started once per set of limits.
      if (++ticks % 3 === 0) say(`  seed ${seed}: ${Math.floor(begun / 2)} inputs`);
    }, HANG_MS);
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => clearInterval(watch));
  });
}

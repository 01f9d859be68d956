/**
 * The fuzz loop: inputs from the grammar and from mutation, guided by outcomes. An input with a new outcome is kept and mutated
 * further. The same seed gives the same inputs.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { generate } from './grammar.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { LIMITS, tryInput } from './trial.ts';

/** The inputs that earlier runs kept, one JSON string per line. */
export const CORPUS_FILE: string = path.join(import.meta.dirname, 'corpus.txt');

const MAX_KEPT = 4096;

export interface Failure {
  /** As latin1. */
  readonly input: string;
  readonly message: string;
}

export interface FuzzResult {
  readonly inputs: number;
  /** The shortest input for each outcome. */
  readonly kept: readonly string[];
  readonly failure: Failure | null;
}

export function readCorpus(): string[] {
  const lines = readFileSync(CORPUS_FILE, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as string);
}

/** Printable ASCII only. */
export function escapeInput(input: string): string {
  return JSON.stringify(input).replace(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Tries every input of the corpus, then `count` more. `watch` gets each input before it is tried. */
export function fuzz(
  seed: number,
  count: number,
  corpus: readonly string[],
  watch?: (input: Buffer) => void,
): FuzzResult {
  const random = new Random(seed);
  const kept: string[] = [];
  const shapes = new Map<string, number>();
  for (let i = 0; i < corpus.length + count; i++) {
    const input = corpus[i] ?? next(random, kept);
    for (const [number, limits] of LIMITS.entries()) {
      const bytes = Buffer.from(input, 'latin1');
      watch?.(bytes);
      try {
        const shape = `${number} ${tryInput(bytes, limits, random).shape}`;
        keep(shape, input);
      } catch (error) {
        return {
          inputs: i + 1,
          kept,
          failure: { input: minimise(input, (one) => fails(one, seed)), message: String(error) },
        };
      }
    }
  }
  return { inputs: corpus.length + count, kept, failure: null };

  function keep(shape: string, input: string): void {
    const place = shapes.get(shape);
    if (place === undefined) {
      if (kept.length === MAX_KEPT) return;
      shapes.set(shape, kept.length);
      kept.push(input);
    } else if (input.length < (kept[place] as string).length) {
      kept[place] = input;
    }
  }
}

function next(random: Random, kept: readonly string[]): string {
  if (kept.length === 0 || random.oneIn(3)) return generate(random);
  const input = random.oneIn(4) ? generate(random) : random.pick(kept);
  return mutate(random, input, random.pick(kept));
}

/** The shortest input found that still fails. */
export function minimise(input: string, isFailing: (input: string) => boolean): string {
  let best = input;
  for (let length = best.length >> 1; length > 0; length >>= 1) {
    for (let at = 0; at < best.length; ) {
      const shorter = best.slice(0, at) + best.slice(at + length);
      if (isFailing(shorter)) best = shorter;
      else at += length;
    }
  }
  return best;
}

/** Tries more than once, because pieces are random. */
function fails(input: string, seed: number): boolean {
  const random = new Random(seed);
  try {
    for (let round = 0; round < 20; round++) {
      for (const limits of LIMITS) tryInput(Buffer.from(input, 'latin1'), limits, random);
    }
    return false;
  } catch {
    return true;
  }
}

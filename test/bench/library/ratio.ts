/** Ratios of paired rounds, with what is known about them. Pure. */
import { median } from '../results.ts';

export interface Ratio {
  readonly median: number;
  /** Ends of the 95 % interval of the geometric mean. */
  readonly low: number;
  readonly high: number;
}

/** Both lists in the order of the rounds. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((value, round) => value / (theirs[round] as number));
  const logs = ratios.map(Math.log);
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
  const variance = logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (logs.length - 1);
  const reach = 2 * Math.sqrt(variance / logs.length);
  return { median: median(ratios), low: Math.exp(mean - reach), high: Math.exp(mean + reach) };
}

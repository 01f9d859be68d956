/** What a proof is: a name, and findings with their figures and bars. */

export interface Finding {
  /** What was measured. */
  readonly what: string;
  /** What came out, for people. */
  readonly figure: string;
  /** What it must be; empty if it is for information only. */
  readonly bar: string;
  readonly isMet: boolean;
}

export interface ProofContext {
  /** The program and its leading arguments. */
  readonly command: readonly string[];
  /** The command is the packaged executable. */
  readonly isPackaged: boolean;
  /** What was typed after the proof's name. */
  readonly args: readonly string[];
  /** Reports progress. */
  say(text: string): void;
}

export interface Proof {
  readonly title: string;
  run(context: ProofContext): Promise<Finding[]>;
}

export function finding(what: string, figure: string, bar: string, isMet: boolean): Finding {
  return { what, figure, bar, isMet };
}

/** A figure without a bar. */
export function note(what: string, figure: string): Finding {
  return { what, figure, bar: '', isMet: true };
}

/** The value below which `part` of the values lie; sorts them. */
export function quantile(values: number[], part: number): number {
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN;
}

export function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

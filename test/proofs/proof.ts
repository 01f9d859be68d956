/** What a proof is: what it needs, and sentences that must be true. */

export interface Proof {
  readonly title: string;
  /** Programs on the PATH, and the Debian packages that have them. */
  readonly needs: Readonly<Record<string, string>>;
  /** Root, for namespaces and other people's root folders. */
  readonly asRoot: boolean;
  run(check: Check): Promise<void>;
}

/** Does the work; what it throws is a failure, a text that it returns is a figure. The next sentence is tried all the same. */
export type Check = (sentence: string, work: () => Promise<unknown>) => Promise<void>;

export function mustBe(what: string, got: unknown, wanted: unknown): void {
  const [is, must] = [got, wanted].map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  if (is !== must) throw new Error(`${what} must be ${must}, got ${is}`);
}

export function mustMatch(what: string, got: string, wanted: RegExp): void {
  if (!wanted.test(got)) throw new Error(`${what} must match ${wanted}, got ${got.trim() || 'nothing'}`);
}

export function mustBeAtMost(what: string, got: number, most: number, unit: string): string {
  const figure = `${Number.isInteger(got) ? got : got.toFixed(1)} ${unit}`;
  if (got > most) throw new Error(`${what} must be at most ${most} ${unit}, got ${figure}`);
  return figure;
}

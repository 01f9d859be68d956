/** What came of a program on a target; `results.json` is a list of these. */
export interface Result {
  readonly program: string;
  readonly target: string;
  /** Milliseconds to the first answer, or to the end; under an emulator it says nothing. */
  readonly startMs?: number;
  readonly how?: string;
  readonly executableBytes?: number;
  readonly archiveBytes?: number;
  /** Why it was refused before anything was built. */
  readonly refused?: string;
}

/** What came of a program with one packager; `compared.json` is a list of these. */
export interface Compared {
  readonly program: string;
  readonly peer: string;
  readonly bytes?: number;
  /** Median of several starts, in milliseconds to the first answer, or to the end. */
  readonly startMs?: number;
  /** What the packager or the executable said. */
  readonly fault?: string;
}

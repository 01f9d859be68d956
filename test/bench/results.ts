/** The form of the results, and how samples become figures: medians, and ratios within a round. Pure. */
import type { Sample } from './load.ts';
import type { Memory } from './processes.ts';

export interface Figure {
  readonly server: string;
  readonly mode: string;
  /** Medians over the rounds. */
  readonly cpuMicros: number;
  readonly requestsPerSecond: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** Median of the ratios of CPU time to the floor's in the same round. */
  readonly ratioToFloor: number | null;
  /** Median of the ratios of CPU time to the plain mode of the same server, measured just before. */
  readonly ratioToPlain: number | null;
  /** Smallest and largest CPU time of a round. */
  readonly range: readonly [number, number];
  readonly rounds: number;
  readonly errors: number;
}

export interface StartFigure {
  readonly server: string;
  /** Such as "first response, 2 workers" or "--version". */
  readonly what: string;
  /** Medians, and the 10th percentile. */
  readonly wallMs: number;
  readonly fastMs: number;
  readonly cpuMs: number;
  readonly starts: number;
}

export interface MemoryFigure {
  readonly server: string;
  readonly workers: number;
  /** After the start and one request. */
  readonly idle: Memory;
  /** After all load of the plain mode; null if that was not run. */
  readonly loaded: Memory | null;
  /** Bytes of RSS for each connection that has sent one request and is silent; null if not measured. */
  readonly bytesPerConnection: number | null;
}

export interface Server {
  readonly id: string;
  readonly title: string;
  readonly version: string;
  /** Why a mode, or "all", was not measured. */
  readonly missing: Readonly<Record<string, string>>;
  /** Remarks on figures, by mode. */
  readonly remarks: Readonly<Record<string, string>>;
}

export interface Results {
  readonly made: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly kernel: string; readonly node: string };
  readonly settings: Readonly<Record<string, string | number>>;
  readonly note: string;
  readonly servers: readonly Server[];
  readonly figures: readonly Figure[];
  readonly starts: readonly StartFigure[];
  readonly memory: readonly MemoryFigure[];
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** With linear interpolation; NaN for an empty list. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** Samples by round, server and mode; missing if not measured in that round. */
export type Rounds = readonly (readonly { server: string; mode: string; sample: Sample }[])[];

export function figuresOf(rounds: Rounds, floor: string): Figure[] {
  const pairs = new Map<string, [string, string]>();
  for (const one of rounds.flat()) pairs.set(`${one.mode} ${one.server}`, [one.server, one.mode]);
  return [...pairs.values()].map(([server, mode]) => figureOf(rounds, server, mode, floor));
}

function figureOf(rounds: Rounds, server: string, mode: string, floor: string): Figure {
  const samples = rounds.map((round) => sampleOf(round, server, mode));
  const present = samples.filter((sample) => sample !== undefined);
  const ratio = (other: (sample: Sample, round: Rounds[number]) => number | null | undefined): number | null => {
    const ratios = rounds.flatMap((round, index) => {
      const own = samples[index];
      const divisor = own === undefined ? undefined : other(own, round);
      return own === undefined || divisor === undefined || divisor === null ? [] : [own.cpuMicros / divisor];
    });
    return ratios.length === 0 ? null : rounded(median(ratios), 3);
  };
  const of = (pick: (sample: Sample) => number, digits: number) => rounded(median(present.map(pick)), digits);
  const cpu = present.map((sample) => sample.cpuMicros);
  return {
    server,
    mode,
    cpuMicros: of((sample) => sample.cpuMicros, 3),
    requestsPerSecond: of((sample) => sample.requestsPerSecond, 0),
    p50Micros: of((sample) => sample.p50Micros, 0),
    p99Micros: of((sample) => sample.p99Micros, 0),
    ratioToFloor: ratio((_, round) => sampleOf(round, floor, mode)?.cpuMicros),
    ratioToPlain: ratio((sample) => sample.plainMicros),
    range: [rounded(Math.min(...cpu), 3), rounded(Math.max(...cpu), 3)],
    rounds: present.length,
    errors: present.reduce((sum, sample) => sum + sample.errors, 0),
  };
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function sampleOf(round: Rounds[number], server: string, mode: string): Sample | undefined {
  return round.find((one) => one.server === server && one.mode === mode)?.sample;
}

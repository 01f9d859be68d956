/** The bars: what must be reached, and whether the results reach it. Pure. */
import type { Figure, Results } from './results.ts';

export interface Bar {
  readonly what: string;
  readonly limit: string;
  readonly got: string;
  /** Null if the results lack the figure. */
  readonly isMet: boolean | null;
}

const OURS = 'vrypt';

export function barsOf(results: Results): Bar[] {
  const figure = (server: string, mode: string): Figure | undefined =>
    results.figures.find((one) => one.server === server && one.mode === mode);
  const cpu = (server: string, mode: string) => figure(server, mode)?.cpuMicros;
  // Through the floor, because ratios to it come from the same round.
  const ratio = (mode: string, other: string): number | undefined =>
    quotient(figure(OURS, mode)?.ratioToFloor ?? undefined, figure(other, mode)?.ratioToFloor ?? undefined);
  const start = (what: string) => results.starts.find((one) => one.server === OURS && one.what === what)?.wallMs;
  const memory = (workers: number) => results.memory.find((one) => one.server === OURS && one.workers === workers);
  const idle = (workers: number): number | undefined => {
    const kilobytes = memory(workers)?.idle.rss;
    return kilobytes === undefined ? undefined : kilobytes / 1024;
  };
  const p99 = (server: string) => figure(server, 'plain')?.p99Micros;
  const further = difference(idle(4), idle(1));
  const workers = figure(OURS, 'workers')?.ratioToPlain;
  // Two cores do twice the work, divided by how much more a request costs with two workers.
  const scale = workers === undefined || workers === null ? undefined : 2 / workers;
  return [
    atMost('plain, CPU to the floor', figure(OURS, 'plain')?.ratioToFloor ?? undefined, 1.2, '×'),
    atMost('plain, CPU to Bun', ratio('plain', 'bun'), 1, '×'),
    atMost('plain, CPU to node:http', ratio('plain', 'node-http'), 0.45, '×'),
    atMost('every request different, CPU to plain', figure(OURS, 'different')?.ratioToPlain ?? undefined, 1.05, '×'),
    atMost('pipelined ×16, CPU', cpu(OURS, 'pipelined'), 1, 'µs'),
    atMost('pipelined ×16, CPU to Bun', ratio('pipelined', 'bun'), 1 / 8, '×'),
    atMost('POST, Content-Length, CPU to plain', figure(OURS, 'post')?.ratioToPlain ?? undefined, 1.15, '×'),
    atMost('POST, chunked, CPU to plain', figure(OURS, 'chunked')?.ratioToPlain ?? undefined, 1.15, '×'),
    atMost('connection per request, CPU to Bun', ratio('close', 'bun'), 1, '×'),
    atMost('plain, p99 to Bun', quotient(p99(OURS), p99('bun')), 1, '×'),
    atMost('plain, p99 to nginx', quotient(p99(OURS), p99('nginx')), 1, '×'),
    atLeast('two workers, capacity to one', scale, 1.9, '×'),
    atMost('idle RSS, one worker', idle(1), 32, 'MiB'),
    atMost('idle RSS, each of 3 further workers', further === undefined ? undefined : further / 3, 8, 'MiB'),
    atMost('idle connection, RSS', memory(1)?.bytesPerConnection ?? undefined, 4096, 'B'),
    atMost('start to first response, 2 workers', start('first response, 2 workers'), 40, 'ms'),
    atMost('--version', start('--version'), 25, 'ms'),
  ];
}

function atMost(what: string, got: number | undefined, limit: number, unit: string): Bar {
  return bar(what, `≤ ${shown(limit, unit)}`, got, unit, got === undefined ? null : got <= limit);
}

function atLeast(what: string, got: number | undefined, limit: number, unit: string): Bar {
  return bar(what, `≥ ${shown(limit, unit)}`, got, unit, got === undefined ? null : got >= limit);
}

function bar(what: string, limit: string, got: number | undefined, unit: string, isMet: boolean | null): Bar {
  return { what, limit, got: got === undefined ? 'not measured' : shown(got, unit), isMet };
}

function shown(value: number, unit: string): string {
  const digits = unit === 'B' ? 0 : unit === 'ms' || unit === 'MiB' ? 1 : 3;
  return `${Number(value.toFixed(digits))} ${unit}`;
}

function difference(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a - b;
}

function quotient(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}

/** The last minute of an access log as a picture for a terminal: rate, statuses, the busiest paths and clients. Pure. */
import type { LoggedRequest } from './read-line.ts';
import { aligned, printable } from './summary.ts';

const WINDOW_S = 60;
/** Of paths and clients in a second; further ones are left out of the lists. */
const MAX_NAMES = 10_000;

class Second {
  requests = 0;
  bytes = 0;
  totalMs = 0;
  timed = 0;
  /** By the first digit of the status. */
  readonly classes = [0, 0, 0, 0, 0, 0];
  readonly paths = new Map<string, number>();
  readonly clients = new Map<string, number>();
}

export class LiveView {
  /** The present one last. */
  readonly #seconds: Second[] = [new Second()];

  add({ path, client, status, bytes, ms }: LoggedRequest): void {
    const second = this.#seconds.at(-1) as Second;
    second.requests++;
    second.bytes += bytes;
    if (ms !== null) {
      second.timed++;
      second.totalMs += ms;
    }
    const digit = Math.min(5, Math.floor(status / 100));
    second.classes[digit] = (second.classes[digit] as number) + 1;
    count(second.paths, path);
    count(second.clients, client);
  }

  /** A second has passed. Returns the picture, of at most so many lines and columns. */
  next(rows: number, columns: number): string {
    const seconds = this.#seconds;
    const last = seconds.at(-1) as Second;
    const sum = (pick: (second: Second) => number) => seconds.reduce((total, second) => total + pick(second), 0);
    const timed = sum((second) => second.timed);
    const mean = timed === 0 ? '-' : `${(sum((second) => second.totalMs) / timed).toFixed(1)} ms`;
    const classes = [1, 2, 3, 4, 5].map((digit) => `${digit}xx ${sum((second) => second.classes[digit] as number)}`);
    const head = [
      `${last.requests} requests/s, ${sum((second) => second.requests)} in the last ${seconds.length} s, mean ${mean}`,
      `${classes.join('  ')}  bytes ${sum((second) => second.bytes)}`,
    ];
    const room = Math.max(1, Math.floor((rows - head.length - 5) / 2));
    const lists = [
      ...listOf('path', seconds, (second) => second.paths, room),
      '',
      ...listOf('client', seconds, (second) => second.clients, room),
    ];
    seconds.push(new Second());
    if (seconds.length > WINDOW_S) seconds.shift();
    return [...head, '', ...lists]
      .slice(0, rows)
      .map((line) => line.slice(0, columns))
      .join('\n');
  }
}

function count(names: Map<string, number>, name: string): void {
  const known = names.get(name);
  if (known !== undefined || names.size < MAX_NAMES) names.set(name, (known ?? 0) + 1);
}

function listOf(
  title: string,
  seconds: readonly Second[],
  pick: (second: Second) => ReadonlyMap<string, number>,
  most: number,
): string[] {
  const all = new Map<string, number>();
  for (const second of seconds) for (const [name, times] of pick(second)) all.set(name, (all.get(name) ?? 0) + times);
  const busiest = [...all].sort(([, one], [, other]) => other - one).slice(0, most);
  const rows = busiest.map(([name, times]) => [printable(name), String(times)]);
  return aligned([[title, 'requests'], ...rows])
    .trimEnd()
    .split('\n');
}

/** Time from fork to the first response, and to the exit of `--version`: medians of many interleaved starts. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Plan } from './options.ts';
import { OURS, type Prepared } from './peers.ts';
import { executable } from './places.ts';
import { median, quantile, rounded, type StartFigure } from './results.ts';

interface Case {
  readonly server: string;
  readonly what: string;
  readonly args: readonly string[];
  readonly walls: number[];
  readonly cpus: number[];
}

const run = promisify(execFile);
const PORT = 19_190;

/** On all cores, since two workers start side by side. */
export async function measureStarts(
  plan: Plan,
  prepared: ReadonlyMap<string, Prepared>,
  probe: string,
): Promise<StartFigure[]> {
  const cores = '0-1023';
  const cases: Case[] = [];
  const add = (server: string, what: string, args: readonly string[]) =>
    cases.push({ server, what, args, walls: [], cpus: [] });
  for (const [server, row] of prepared) {
    for (const workers of server === OURS ? [1, 2] : [1]) {
      const what = `first response, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
      add(server, what, ['response', cores, `${PORT}`, ...row.command(PORT, workers)]);
    }
    if (server === OURS) add(server, '--version', ['exit', cores, executable, '--version']);
  }
  for (let start = -1; start < plan.starts; start++) {
    for (const one of cases) {
      const { stdout } = await run(probe, [...one.args], { timeout: 15_000 });
      const [wall, cpu] = stdout.split(' ').map(Number);
      // The first start reads files that are cached for later ones.
      if (start < 0) continue;
      one.walls.push((wall as number) / 1000);
      one.cpus.push((cpu as number) / 1000);
    }
  }
  return cases.map(({ server, what, walls, cpus }) => ({
    server,
    what,
    wallMs: rounded(median(walls), 1),
    fastMs: rounded(quantile(walls, 0.1), 1),
    cpuMs: rounded(median(cpus), 1),
    starts: walls.length,
  }));
}

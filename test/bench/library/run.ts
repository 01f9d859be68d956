/**
 * `npm run bench:library`: what a request costs in programs made with the library, against those made with others, and what long-lived
 * connections and large contents cost. Prints tables; exit code 1 if a bar is not met. It stops everything that it starts.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from '../fetch.ts';
import { loadRequest, type Sample } from '../load.ts';
import { work } from '../places.ts';
import { prioritise } from '../priority.ts';
import { ServerProcesses, stopAll } from '../processes.ts';
import { median } from '../results.ts';
import { say } from '../say.ts';
import { table } from '../table.ts';
import { CONTESTS, type Contest, ECHO } from './contests.ts';
import { echoes } from './echoes.ts';
import { LASTING } from './lasting.ts';
import { ratioOf } from './ratio.ts';
import { type Command, SERVERS } from './servers.ts';

/** So many requests, and turns at most, until the compilers of all are done. */
const WARM = 100_000;
const WARM_TURNS = 10;

const HELP = `Measures programs made with the library against others, in turn, the server on one core.

  --only <list>      of ${[...CONTESTS, ...LASTING].map((row) => row.id).join(',')} (default: all)
  --servers <list>   only these of a contest's servers (default: all)
  --rounds <n>       of which medians count (default: 7)
  --seconds <n>      of load, of one server in one round (default: 1)
  --cores <s>,<c>    core for the server, core for its client (default: 0,1)
  --port <n>         the first port (default: 19300)
  --nice <n>         priority of servers and clients, below 0 as root (default: 0)
  --before <file>    the executable that the plain server is compared with
`;

interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly serverCore: string;
  readonly clientCore: string;
  readonly port: number;
  readonly nice: number;
  readonly before: string | undefined;
  readonly servers: readonly string[] | null;
}

async function contend(plan: Plan, contest: Contest): Promise<boolean> {
  const running = new Map<string, ServerProcesses>();
  const missing: string[] = [];
  const wanted = contest.servers.filter((id) => plan.servers === null || plan.servers.includes(id));
  for (const id of wanted) {
    try {
      running.set(id, await start(plan, id, plan.port + running.size));
    } catch (error) {
      missing.push(`${id}: ${messageOf(error)}`);
    }
  }
  const measure = (server: ServerProcesses): Promise<Sample> =>
    contest.request === ECHO
      ? echoes(server, plan.clientCore, plan.seconds)
      : loadRequest(server, contest.id, contest.request, plan.clientCore, plan.seconds);
  for (const server of running.values()) {
    let requests = 0;
    for (let turn = 0; requests < WARM && turn < WARM_TURNS; turn++) requests += (await measure(server)).requests;
  }
  const samples = new Map<string, Sample[]>([...running.keys()].map((id) => [id, []]));
  for (let round = 0; round < plan.rounds; round++) {
    const turn = [...running];
    for (const [id, server] of round % 2 === 0 ? turn : turn.toReversed()) samples.get(id)?.push(await measure(server));
  }
  await Promise.all([...running.values()].map((server) => server.stop()));
  const cpu = (id: string): number[] => (samples.get(id) ?? []).map((sample) => sample.cpuMicros);
  const figures = [...samples].map(([id, list]) => [
    id,
    median(cpu(id)).toFixed(2),
    median(list.map((sample) => sample.requestsPerSecond)).toFixed(0),
    `${list.reduce((sum, sample) => sum + sample.errors, 0)}`,
  ]);
  figures.sort((a, b) => Number(a[1]) - Number(b[1]));
  process.stdout.write(`\n### ${contest.title}\n${table(['server', 'CPU µs', 'req/s', 'errors'], figures)}\n`);
  let allMet = true;
  const bars = contest.bars.flatMap(({ server, to, limit, isBound }) => {
    if (!samples.has(server) || !samples.has(to)) return [];
    const ratio = ratioOf(cpu(server), cpu(to));
    const isMet = (isBound === true ? ratio.high : ratio.median) <= limit;
    allMet &&= isMet;
    const interval = `${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}`;
    return [[`${server} to ${to}`, `≤ ${limit}`, ratio.median.toFixed(3), interval, isMet ? 'met' : 'NOT MET']];
  });
  if (bars.length > 0) process.stdout.write(`\n${table(['ratio', 'bar', 'median', '95 %', ''], bars)}\n`);
  for (const reason of missing) process.stdout.write(`- not measured: ${reason}\n`);
  return allMet;
}

const commands = new Map<string, Promise<Command>>();

async function start(plan: Plan, id: string, port: number): Promise<ServerProcesses> {
  let command = commands.get(id);
  if (command === undefined) {
    say(`preparing ${id}`);
    command = (SERVERS[id] as (typeof SERVERS)[string])(plan.before);
    commands.set(id, command);
  }
  const log = path.join(work, `library-${id}.log`);
  return ServerProcesses.start((await command)(port), plan.serverCore, port, log, plan.nice);
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 2).join(' ').trim();
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      ...{ only: text, servers: text, rounds: text, seconds: text, cores: text, port: text, nice: text, before: text },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const [serverCore = '0', clientCore = '1'] = (values.cores ?? '0,1').split(',');
  const plan: Plan = {
    ...{ rounds: Number(values.rounds ?? 7), seconds: Number(values.seconds ?? 1), serverCore, clientCore },
    ...{
      port: Number(values.port ?? 19_300),
      nice: Number(values.nice ?? 0),
      before: values.before,
      servers: values.servers?.split(',') ?? null,
    },
  };
  const only = values.only?.split(',');
  const rows = [...CONTESTS, ...LASTING];
  const wrong = only?.find((id) => !rows.some((row) => row.id === id));
  if (wrong !== undefined)
    throw new Error(`--only must name some of ${rows.map(({ id }) => id).join(', ')}, got "${wrong}"`);
  mkdirSync(work, { recursive: true });
  await compile('sockets');
  prioritise(process.pid, plan.nice);
  for (const row of rows) {
    if (only !== undefined && !only.includes(row.id)) continue;
    say(row.title);
    const isMet =
      'request' in row
        ? await contend(plan, row)
        : await row.measure((id) => start(plan, id, plan.port), plan.clientCore);
    if (!isMet) process.exitCode = 1;
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopAll().then(() => process.exit(1)));
}
try {
  await main();
} catch (error) {
  say(`bench: ${messageOf(error)}`);
  process.exitCode = 1;
} finally {
  await stopAll();
  prioritise(process.pid, 0);
}

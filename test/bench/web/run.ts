/**
 * `npm run bench -- --web`: vrypt-server as a web server and proxy against others, in turn, one worker on one core. Prints tables on
 * standard output and writes build/bench/web.json. It stops everything that it starts.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import path from 'node:path';
import { compile, find, fromDebian } from '../fetch.ts';
import { work } from '../places.ts';
import { loadAverage, prioritise } from '../priority.ts';
import { ServerProcesses } from '../processes.ts';
import { median, rounded } from '../results.ts';
import { say } from '../say.ts';
import { table } from '../table.ts';
import { type Measured, webBars } from './bars.ts';
import { CASES, type CaseId, pageOf } from './cases.ts';
import { measureExtras } from './extras.ts';
import { loadWeb, type WebSample } from './load.ts';
import type { WebPlan } from './options.ts';
import { makePlace, OURS, type Prepared, WEB_SERVERS } from './servers.ts';

/** Each server has its own ports from here on. */
const PORTS = 22_400;
const PORTS_EACH = 10;
const ORIGIN_PORT = 22_390;

export async function benchWeb(plan: WebPlan): Promise<void> {
  for (const tool of ['wrk', 'h2load', 'taskset', 'cc']) {
    if (find(tool) === undefined)
      throw new Error(`${tool} is missing; on Debian: apt-get install wrk nghttp2-client util-linux gcc libc6-dev`);
  }
  mkdirSync(work, { recursive: true });
  const place = makePlace(ORIGIN_PORT);
  const prepared = new Map<string, Prepared>();
  const notes: string[] = [];
  for (const { id, title, prepare } of WEB_SERVERS) {
    if (!plan.peers.includes(id)) continue;
    say(`preparing ${title}`);
    try {
      const made = await prepare(place);
      prepared.set(id, made);
      notes.push(`- ${title} ${made.version}`);
    } catch (error) {
      notes.push(`- ${title}: not measured, ${(error as Error).message.split('\n')[0]}`);
    }
  }
  prioritise(process.pid, plan.nice);
  const loadBefore = loadAverage();
  const rounds = await runRounds(plan, prepared);
  const measured = figuresOf(rounds);
  const extras = plan.extras.length > 0 ? await measureExtras(prepared, place, await compile('probe'), plan) : [];
  const machine = `${cpus()[0]?.model ?? ''}, Linux ${release()}, ${new Date().toISOString().slice(0, 16)}`;
  const head = `${machine}\nrounds ${plan.rounds}, seconds ${plan.seconds}, load ${loadBefore} before, ${loadAverage()} after`;
  process.stdout.write(
    `${head}\n${notes.join('\n')}\n\n${tables(measured)}\n\n${table(['what', 'got'], extras)}\n\n${table(['what', 'bar', 'got', ''], webBars(measured))}\n`,
  );
  writeFileSync(path.join(work, 'web.json'), JSON.stringify({ machine, notes, measured, extras }, null, 2));
}

type Rounds = readonly ReadonlyMap<string, WebSample>[];

async function runRounds(plan: WebPlan, prepared: ReadonlyMap<string, Prepared>): Promise<Rounds> {
  const origin = await startOrigin(plan);
  const started = new Map<string, ServerProcesses>();
  for (const [id, { command }] of prepared) {
    const port = PORTS + started.size * PORTS_EACH;
    const log = path.join(work, `web-${id}.log`);
    started.set(id, await ServerProcesses.start(command(port), plan.serverCore, port, log, plan.nice));
  }
  const rounds: Map<string, WebSample>[] = [];
  // The first one warms up.
  for (let round = -1; round < plan.rounds; round++) {
    if (round >= 0) say(`round ${round + 1} of ${plan.rounds}`);
    const samples = new Map<string, WebSample>();
    for (const one of CASES) {
      if (!plan.cases.includes(one.id)) continue;
      const servers = WEB_SERVERS.filter(({ id, lacks }) => started.has(id) && !lacks.includes(one.id));
      // Every other round runs backwards, so that no server always follows the same one.
      for (const { id } of round % 2 === 0 ? servers : servers.toReversed()) {
        const server = started.get(id) as ServerProcesses;
        samples.set(`${id} ${one.id}`, await loadWeb(server, one, plan.clientCore, plan.seconds));
      }
    }
    if (round >= 0) rounds.push(samples);
  }
  await Promise.all([origin, ...started.values()].map((processes) => processes.stop()));
  return rounds;
}

/** On the client's core: it costs the same whoever asks it. */
async function startOrigin({ clientCore, nice }: WebPlan): Promise<ServerProcesses> {
  const nginx = await fromDebian('nginx', ['nginx']);
  const folder = path.join(work, 'web');
  const file = path.join(folder, 'origin.conf');
  writeFileSync(
    file,
    `
daemon off;
worker_processes 1;
pid ${folder}/origin.pid;
error_log stderr;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  default_type text/html;
  server { listen 127.0.0.1:${ORIGIN_PORT}; location / { return 200 '${pageOf(1000).replaceAll("'", '')}'; } }
}
`,
  );
  const command = [...nginx, '-e', 'stderr', '-p', folder, '-c', file];
  return ServerProcesses.start(command, clientCore, ORIGIN_PORT, path.join(work, 'web-origin.log'), nice);
}

function figuresOf(rounds: Rounds): Measured[] {
  const keys = [...new Set(rounds.flatMap((round) => [...round.keys()]))];
  return keys.map((key) => {
    const [server, id] = key.split(' ') as [string, CaseId];
    const samples = rounds.flatMap((round) => round.get(key) ?? []);
    const to = (other: string): number | null => {
      const ratios = rounds.flatMap((round) => {
        const [one, two] = [round.get(key), round.get(`${other} ${id}`)];
        return one === undefined || two === undefined ? [] : [one.cpuMicros / two.cpuMicros];
      });
      return ratios.length === 0 ? null : rounded(median(ratios), 3);
    };
    return {
      ...{ server, case: id },
      cpuMicros: rounded(median(samples.map(({ cpuMicros }) => cpuMicros)), 2),
      p99Micros: rounded(median(samples.map(({ p99Micros }) => p99Micros)), 0),
      errors: samples.reduce((sum, { errors }) => sum + errors, 0),
      ratios: Object.fromEntries(WEB_SERVERS.map(({ id: other }) => [other, to(other)])),
    };
  });
}

function tables(measured: readonly Measured[]): string {
  const title = (id: string) => WEB_SERVERS.find((one) => one.id === id)?.title ?? id;
  return CASES.flatMap((one) => {
    const rows = measured
      .filter((figure) => figure.case === one.id)
      .toSorted((a, b) => a.cpuMicros - b.cpuMicros)
      .map((figure) => [
        title(figure.server),
        figure.cpuMicros.toFixed(1),
        figure.ratios[OURS]?.toFixed(2) ?? '–',
        figure.p99Micros === 0 ? '–' : String(figure.p99Micros),
        figure.errors === 0 ? '' : String(figure.errors),
      ]);
    return rows.length === 0
      ? []
      : [`### ${one.title}\n${table(['server', 'CPU µs', '× ours', 'p99 µs', 'errors'], rows)}`];
  }).join('\n\n');
}

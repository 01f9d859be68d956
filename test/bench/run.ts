/**
 * `npm run bench`: vrypt-server against its peers. Prints tables on standard output and writes build/bench/results.json and
 * chart.svg; with --commit also those that the README shows. It stops everything that it starts.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import path from 'node:path';
import { chartOf } from './chart.ts';
import { compile, find } from './fetch.ts';
import { measureMemory } from './memory.ts';
import { HELP, type Plan, planOf } from './options.ts';
import { FLOOR, PEERS, type Prepared } from './peers.ts';
import { committedChart, committedResults, work } from './places.ts';
import { loadAverage, prioritise } from './priority.ts';
import { stopAll } from './processes.ts';
import { figuresOf, type Results, type Server } from './results.ts';
import { runRounds } from './rounds.ts';
import { say } from './say.ts';
import { measureStarts } from './start-up.ts';
import { report } from './table.ts';

async function bench(plan: Plan): Promise<Results> {
  for (const tool of ['wrk', 'taskset', 'cc']) {
    if (find(tool) === undefined)
      throw new Error(`${tool} is missing; on Debian: apt-get install wrk util-linux gcc libc6-dev`);
  }
  mkdirSync(work, { recursive: true });
  const probe = await compile('probe');
  const { prepared, servers } = await prepare(plan);
  prioritise(process.pid, plan.nice);
  const loadBefore = loadAverage();
  const { rounds, loaded } = await runRounds(plan, prepared);
  if (plan.extras.length > 0) say(plan.extras.join(', '));
  const memory = plan.extras.includes('memory') ? await measureMemory(plan, prepared, loaded, probe) : [];
  const starts = plan.extras.includes('start') ? await measureStarts(plan, prepared, probe) : [];
  const all = cpus();
  const { rounds: count, seconds, nice, idleConnections } = plan;
  return {
    made: new Date().toISOString().slice(0, 16),
    machine: { cpu: all[0]?.model ?? '', cores: all.length, kernel: release(), node: process.versions.node },
    settings: {
      ...{ rounds: count, seconds, connections: 64, nice, idleConnections },
      ...{ 'load before': loadBefore, 'load after': loadAverage() },
    },
    note: plan.note,
    servers,
    figures: figuresOf(rounds, FLOOR),
    starts,
    memory,
  };
}

/** A peer that is unavailable is named with the reason, never silently left out. */
async function prepare(plan: Plan): Promise<{ prepared: Map<string, Prepared>; servers: Server[] }> {
  const prepared = new Map<string, Prepared>();
  const servers: Server[] = [];
  for (const { id, title, prepare: make } of PEERS) {
    if (!plan.peers.includes(id)) {
      servers.push({ id, title, version: '', missing: { all: 'not asked for' }, remarks: {} });
      continue;
    }
    say(`preparing ${title}`);
    try {
      const row = await make();
      prepared.set(id, row);
      const missing = Object.entries(row.lacks ?? {}).filter(([mode]) =>
        plan.modes.some((planned) => planned === mode),
      );
      servers.push({
        id,
        title,
        version: row.version,
        missing: Object.fromEntries(missing),
        remarks: row.remarks ?? {},
      });
    } catch (error) {
      const reason = (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 2).join(' ').trim();
      servers.push({ id, title, version: '', missing: { all: reason }, remarks: {} });
    }
  }
  return { prepared, servers };
}

function write(results: Results, json: string, chart: string): void {
  // Pairs of numbers on one line, as the formatter writes them.
  const text = JSON.stringify(results, null, 2).replace(/\[\s+([\d.]+),\s+([\d.]+)\s+\]/g, '[$1, $2]');
  writeFileSync(json, `${text}\n`);
  writeFileSync(chart, chartOf(results));
}

async function main(args: readonly string[]): Promise<void> {
  const plan = planOf(args);
  if (plan === undefined) {
    process.stdout.write(HELP);
    return;
  }
  const results = await bench(plan);
  process.stdout.write(report(results));
  write(results, path.join(work, 'results.json'), path.join(work, 'chart.svg'));
  if (plan.commits) write(results, committedResults, committedChart);
}

async function web(args: readonly string[]): Promise<void> {
  const { webPlanOf, WEB_HELP } = await import('./web/options.ts');
  const plan = webPlanOf(args);
  if (plan === undefined) {
    process.stdout.write(WEB_HELP);
    return;
  }
  const { benchWeb } = await import('./web/run.ts');
  await benchWeb(plan);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopAll().then(() => process.exit(1)));
}
const args = process.argv.slice(2);
try {
  await (args.includes('--web') ? web(args) : main(args));
} catch (error) {
  say(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await stopAll();
  prioritise(process.pid, 0);
}

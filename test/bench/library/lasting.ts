/** What is no contest of requests: large contents, idle WebSockets, thousands of readers of events. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ServerProcesses } from '../processes.ts';
import { table } from '../table.ts';
import { sockets } from './echoes.ts';

export interface Lasting {
  readonly id: string;
  readonly title: string;
  /** Prints a table; false if a bar is not met. */
  measure(start: (id: string) => Promise<ServerProcesses>, clientCore: string): Promise<boolean>;
}

const run = promisify(execFile);
const MIB = 1024;
const TURNS = 5;
/** For work that a runtime puts off. */
const SETTLE_MS = 2500;
const IDLE = 12_000;
/** Make what is made once, and let heaps grow. */
const IDLE_BEFORE = 2000;
const READERS = 10_000;
const SECONDS = 20;

export const LASTING: readonly Lasting[] = [
  { id: 'transfer', title: '100 MiB up and down, streamed', measure: transfers },
  { id: 'idle', title: `${IDLE} idle WebSockets`, measure: idleSockets },
  { id: 'events', title: `${READERS} readers, an event a second each`, measure: readers },
];

/** The highest RSS while it lasts, and CPU time, of the same transfer on each server in turn. */
async function transfers(start: (id: string) => Promise<ServerProcesses>, clientCore: string): Promise<boolean> {
  const rows: string[][] = [];
  let isMet = true;
  for (const way of ['up', 'down'] as const) {
    const cpu = new Map<string, number>();
    for (const id of ['node', 'fast', 'fetch', 'bun']) {
      const server = await start(id);
      await transfer(server, way, clientCore, MIB);
      await pause(SETTLE_MS);
      const before = server.memory().rss;
      server.resetPeak();
      const begin = server.cpuMicros();
      for (let turn = 0; turn < TURNS; turn++) await transfer(server, way, clientCore, 100 * MIB);
      const millis = (server.cpuMicros() - begin) / TURNS / 1000;
      const grown = (server.peak() - before) / MIB;
      await server.stop();
      cpu.set(id, millis);
      const ratio = millis / (cpu.get('node') as number);
      const isOurs = id === 'fast' || id === 'fetch';
      if (isOurs && (ratio > 1 || grown > 16)) isMet = false;
      rows.push([id, way, millis.toFixed(0), ratio.toFixed(2), grown.toFixed(1)]);
    }
  }
  const head = ['server', 'way', 'CPU ms', 'to node:http (≤ 1)', 'RSS + MiB (≤ 16)'];
  process.stdout.write(`\n### 100 MiB up and down, streamed\n${table(head, rows, 2)}\n`);
  return isMet;
}

async function transfer(server: ServerProcesses, way: 'up' | 'down', core: string, kib: number): Promise<void> {
  const url = `http://127.0.0.1:${server.port}/${way}load`;
  const up = `head -c ${kib * 1024} /dev/zero | curl -sf -T - -o /dev/null ${url}`;
  const down = kib < 100 * MIB ? `curl -s -m 1 -o /dev/null ${url} || true` : `curl -sf -o /dev/null ${url}`;
  await run('taskset', ['-c', core, 'sh', '-c', way === 'up' ? up : down]);
}

async function idleSockets(start: (id: string) => Promise<ServerProcesses>): Promise<boolean> {
  const rows: string[][] = [];
  let isMet = true;
  for (const id of ['fetch', 'bun', 'ws']) {
    const server = await start(id);
    const first = await held(server, IDLE_BEFORE);
    await pause(SETTLE_MS);
    const before = server.memory().rss;
    const rest = await held(server, IDLE);
    await pause(SETTLE_MS);
    const bytes = ((server.memory().rss - before) * 1024) / IDLE;
    for (const holder of [first, rest]) holder.stdin?.end();
    await server.stop();
    if (id === 'fetch' && bytes > 6144) isMet = false;
    rows.push([id, bytes.toFixed(0)]);
  }
  process.stdout.write(`\n### ${IDLE} idle WebSockets\n${table(['server', 'bytes of RSS each (≤ 6144)'], rows)}\n`);
  return isMet;
}

/** Rejects unless that many are open. */
async function held(server: ServerProcesses, count: number): Promise<ChildProcess> {
  const holder = spawn(sockets, ['hold', `${server.port}`, `${count}`], { stdio: ['pipe', 'pipe', 'inherit'] });
  const opened = await new Promise<number>((resolve, reject) => {
    holder.stdout.once('data', (data) => resolve(Number(String(data))));
    holder.once('error', reject);
    holder.once('exit', () => resolve(0));
  });
  if (opened < count) throw new Error(`${count} WebSockets must be accepted, got ${opened}`);
  return holder;
}

async function readers(start: (id: string) => Promise<ServerProcesses>, core: string): Promise<boolean> {
  const rows: string[][] = [];
  let isMet = true;
  for (const id of ['fast', 'node']) {
    const server = await start(id);
    const child = run('taskset', ['-c', core, sockets, 'events', `${server.port}`, `${READERS}`, `${SECONDS}`]);
    // While they connect, CPU time is that of connections.
    await pause((SECONDS * 1000) / 2);
    const begin = server.cpuMicros();
    const since = performance.now();
    await pause((SECONDS * 1000) / 4);
    const percent = (server.cpuMicros() - begin) / (performance.now() - since) / 10;
    const said = JSON.parse((await child).stdout) as Record<
      'readers' | 'events' | 'fewest' | 'most' | 'errors',
      number
    >;
    await server.stop();
    const isFair = said.readers === READERS && said.errors === 0 && said.fewest >= SECONDS - 2;
    if (id === 'fast' && (percent > 25 || !isFair)) isMet = false;
    rows.push([id, `${said.readers}`, percent.toFixed(1), `${said.fewest}`, `${said.most}`, `${said.errors}`]);
  }
  const head = ['server', 'readers', '% of a core (≤ 25)', `fewest in ${SECONDS} s`, 'most', 'errors'];
  process.stdout.write(`\n### ${READERS} readers, an event a second each\n${table(head, rows)}\n`);
  return isMet;
}

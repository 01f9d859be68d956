/** One round of load by wrk, and the CPU time that the server spent in it. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { fileOf, type Mode } from './modes.ts';
import { work } from './places.ts';
import type { ServerProcesses } from './processes.ts';

export interface Sample {
  readonly requests: number;
  /** Failed connections and unsuccessful answers: a figure with errors is void. */
  readonly errors: number;
  readonly requestsPerSecond: number;
  /** User and system time of all the server's processes, per request. */
  readonly cpuMicros: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** CPU time per request in the plain mode, measured just before this; null if not needed. */
  readonly plainMicros: number | null;
}

const run = promisify(execFile);
const script = path.join(import.meta.dirname, 'load/wrk.lua');
const written = new Map<string, string>();

export function load(server: ServerProcesses, mode: Mode, core: string, seconds: number): Promise<Sample> {
  return loadFile(server, requestFile(mode.id, mode.requests), mode.connections, core, seconds);
}

/** One request, over and over. `id` names it, once for all calls. */
export function loadRequest(
  server: ServerProcesses,
  id: string,
  request: string,
  core: string,
  seconds: number,
): Promise<Sample> {
  return loadFile(
    server,
    requestFile(id, () => [request]),
    64,
    core,
    seconds,
  );
}

async function loadFile(
  server: ServerProcesses,
  file: string,
  connections: number,
  core: string,
  seconds: number,
): Promise<Sample> {
  const url = `http://127.0.0.1:${server.port}/`;
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '5s', '-s', script, url, '--', file];
  const before = server.cpuMicros();
  const { stdout } = await run('taskset', ['-c', core, 'wrk', ...options], { timeout: (seconds + 20) * 1000 });
  return sampleOf(stdout, server.cpuMicros() - before);
}

/** `printed` holds the client's line of JSON. */
export function sampleOf(printed: string, cpu: number): Sample {
  const line = printed.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`the client must print JSON, got: ${printed.slice(-300)}`);
  const said = JSON.parse(line) as { requests: number; micros: number; errors: number; p50: number; p99: number };
  return {
    requests: said.requests,
    errors: said.errors,
    requestsPerSecond: (said.requests * 1e6) / said.micros,
    cpuMicros: said.requests > 0 ? cpu / said.requests : Number.POSITIVE_INFINITY,
    p50Micros: said.p50,
    p99Micros: said.p99,
    plainMicros: null,
  };
}

function requestFile(id: string, requests: () => readonly string[]): string {
  let file = written.get(id);
  if (file === undefined) {
    file = path.join(work, 'requests', `${id}.txt`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, fileOf(requests()), 'latin1');
    written.set(id, file);
  }
  return file;
}

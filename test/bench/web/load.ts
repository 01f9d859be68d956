/** One round of load on one listener, and the CPU time that the server spent in it. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { work } from '../places.ts';
import type { ServerProcesses } from '../processes.ts';
import { type Case, LISTENERS, requestOf } from './cases.ts';

export interface WebSample {
  readonly requests: number;
  /** A figure with errors is void. */
  readonly errors: number;
  /** User and system time of all the server's processes, per request. */
  readonly cpuMicros: number;
  /** 0: not known. */
  readonly p99Micros: number;
}

const run = promisify(execFile);
const script = path.join(import.meta.dirname, '../load/wrk.lua');

export async function loadWeb(server: ServerProcesses, one: Case, core: string, seconds: number): Promise<WebSample> {
  const scheme = one.listener === 'tls' ? 'https' : 'http';
  const url = `${scheme}://127.0.0.1:${server.port + LISTENERS[one.listener]}${one.path}`;
  const command = one.client === 'wrk' ? wrk(one, url, seconds) : h2load(one, url, seconds);
  const before = server.cpuMicros();
  const { stdout } = await run('taskset', ['-c', core, ...command], { timeout: (seconds + 20) * 1000 });
  const cpu = server.cpuMicros() - before;
  const { requests, errors, p99 } = one.client === 'wrk' ? ofWrk(stdout) : ofH2load(stdout);
  return { requests, errors, cpuMicros: requests > 0 ? cpu / requests : Number.POSITIVE_INFINITY, p99Micros: p99 };
}

function wrk(one: Case, url: string, seconds: number): string[] {
  const file = path.join(work, 'requests', `web-${one.id}.txt`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, requestOf(one), 'latin1');
  return ['wrk', '-t1', `-c${one.connections}`, `-d${seconds}s`, '--timeout', '5s', '-s', script, url, '--', file];
}

function h2load(one: Case, url: string, seconds: number): string[] {
  return ['h2load', '-t1', `-c${one.connections}`, '-m10', `-D${seconds}`, url];
}

interface Said {
  readonly requests: number;
  readonly errors: number;
  readonly p99: number;
}

function ofWrk(stdout: string): Said {
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`wrk must print JSON, got: ${stdout.slice(-300)}`);
  return JSON.parse(line) as Said;
}

function ofH2load(stdout: string): Said {
  const [, done, failed] = /(\d+) succeeded, (\d+) failed/.exec(stdout) ?? [];
  const [, good] = /status codes: (\d+) 2xx/.exec(stdout) ?? [];
  if (done === undefined || good === undefined)
    throw new Error(`h2load must print figures, got: ${stdout.slice(-300)}`);
  return { requests: Number(done), errors: Number(failed) + Number(done) - Number(good), p99: 0 };
}

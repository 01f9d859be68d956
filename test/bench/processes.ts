/** A running server: all processes of one process group. Owns the group; reads its CPU time and its memory from /proc. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { prioritise } from './priority.ts';

export interface Memory {
  /** KiB, summed over all processes. */
  readonly rss: number;
  /** Shared pages counted proportionally. */
  readonly pss: number;
  readonly anonymous: number;
}

const START_DEADLINE_MS = 10_000;
const STOP_DEADLINE_MS = 3000;

export class ServerProcesses {
  readonly port: number;
  /** Owned: ended in stop(). */
  readonly #child: ChildProcess;
  readonly #log: string;
  #hasEnded = false;

  private constructor(child: ChildProcess, port: number, log: string) {
    this.#child = child;
    this.port = port;
    this.#log = log;
    child.once('exit', () => {
      this.#hasEnded = true;
    });
    running.add(this);
  }

  /** Starts it on these cores ("0" or "0,1"); resolves when it answers. */
  static async start(
    command: readonly string[],
    cores: string,
    port: number,
    log: string,
    nice = 0,
  ): Promise<ServerProcesses> {
    const out = openSync(log, 'w');
    const child = spawn('taskset', ['-c', cores, ...command], { detached: true, stdio: ['ignore', out, out] });
    closeSync(out);
    child.once('error', () => {});
    if (nice !== 0 && child.pid !== undefined) prioritise(child.pid, nice);
    const server = new ServerProcesses(child, port, log);
    const deadline = performance.now() + START_DEADLINE_MS;
    while (!(await answers(port))) {
      if (server.#hasEnded || child.pid === undefined || performance.now() > deadline) {
        await server.stop();
        throw new Error(
          `${command[0]} does not answer on port ${port}: ${readFileSync(log, 'utf8').trim().slice(-300)}`,
        );
      }
      await pause(20);
    }
    return server;
  }

  /** Microseconds of user and system time of every thread so far. Threads that have ended are not included. */
  cpuMicros(): number {
    let nanoseconds = 0;
    for (const pid of this.#pids()) {
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        // Nanoseconds; stat has only ticks of 10 ms. Both count user and system time.
        const text = readIfThere(`/proc/${pid}/task/${thread}/schedstat`);
        nanoseconds += Number(text.split(' ')[0]);
      }
    }
    return nanoseconds / 1000;
  }

  memory(): Memory {
    const memory = { rss: 0, pss: 0, anonymous: 0 };
    for (const pid of this.#pids()) {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
      memory.rss += field('Rss');
      memory.pss += field('Pss');
      memory.anonymous += field('Anonymous');
    }
    return memory;
  }

  /** From now on `peak` counts anew. */
  resetPeak(): void {
    for (const pid of this.#pids()) writeFileSync(`/proc/${pid}/clear_refs`, '5');
  }

  /** KiB: the highest RSS of each process, summed. */
  peak(): number {
    let sum = 0;
    for (const pid of this.#pids()) {
      sum += Number(/^VmHWM:\s+(\d+)/m.exec(readIfThere(`/proc/${pid}/status`))?.[1] ?? 0);
    }
    return sum;
  }

  get log(): string {
    return readFileSync(this.#log, 'utf8');
  }

  async stop(): Promise<void> {
    running.delete(this);
    const { pid } = this.#child;
    if (pid === undefined) return;
    signalGroup(pid, 'SIGTERM');
    const deadline = performance.now() + STOP_DEADLINE_MS;
    while (this.#pids().length > 0 && performance.now() < deadline) await pause(20);
    signalGroup(pid, 'SIGKILL');
  }

  /** Every process of the group that is not a zombie. */
  #pids(): number[] {
    const pids: number[] = [];
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (Number(group) === this.#child.pid && state !== 'Z') pids.push(Number(name));
      } catch {
        // Ended since the list was read.
      }
    }
    return pids;
  }
}

/** Stops every server that is still running, for an exit after an error. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((server) => server.stop()));
}

const running = new Set<ServerProcesses>();

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // All of it has ended.
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(1000, () => end(false));
    socket.once('data', (data) => end(data.toString('latin1').startsWith('HTTP/1.1 200')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

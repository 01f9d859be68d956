/**
 * The product as a process: start, wait for its line, signal, end. Owns the process from start to exit; whatever
 * happens in between, `end` leaves none behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { SmokeSession } from '../program/program.ts';
import { Failure } from '../support/errors.ts';
import { dyingWithParent } from '../support/run.ts';
import { complaint } from './shown.ts';

/** How a program is started. */
export interface Launch {
  /** What comes before the program's own arguments. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  /** The deadline of every wait; default: a minute, because an emulated start takes seconds, and several on a busy machine. */
  readonly timeoutMs?: number;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Listening {
  /** Hexadecimal, as the kernel prints it: only zeros for every address. */
  readonly address: string;
  readonly port: number;
}

const defaultTimeoutMs = 60_000;

export class Server {
  readonly port: number;
  stdout = '';
  stderr = '';
  private readonly child: ChildProcess;
  private readonly exited: Promise<number | null>;
  private readonly timeoutMs: number;
  private isOverdue = false;

  /** The environment contains `env`, the PATH of `chroot` and the HOME that container engines set, nothing else. */
  constructor(launch: Launch, port: number, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.port = port;
    this.timeoutMs = launch.timeoutMs ?? defaultTimeoutMs;
    const [command, ...rest] = dyingWithParent([...launch.command, ...args]);
    this.child = spawn(command, rest, {
      cwd: launch.cwd,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    const kill = (): boolean => this.child.kill('SIGKILL');
    process.once('exit', kill);
    this.exited = new Promise((resolve) => {
      this.child.on('error', (error) => {
        this.stderr += String(error);
        resolve(null);
      });
      this.child.on('close', (code) => {
        process.off('exit', kill);
        resolve(code);
      });
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined;
  }

  /** The first line on standard output. */
  line(): Promise<string> {
    return this.until('printed no line', () => {
      const end = this.stdout.indexOf('\n');
      return end < 0 ? undefined : this.stdout.slice(0, end);
    });
  }

  /** Waits for a line that matches `pattern`, and returns it; without one for the port, and returns nothing. */
  ready(pattern?: string): Promise<string> {
    if (pattern === undefined)
      return this.until('did not listen', async () => ((await opens(this.port)) ? '' : undefined));
    const line = new RegExp(pattern);
    return this.until(`printed no line that matches ${pattern}`, () =>
      this.stdout
        .split('\n')
        .slice(0, -1)
        .find((each) => line.test(each)),
    );
  }

  /** Looks every so often until there is something, the process has ended, or it is too late. */
  async until<T>(
    what: string,
    look: () => T | undefined | Promise<T | undefined>,
    everyMs = 1,
    timeoutMs = this.timeoutMs,
  ): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (this.hasEnded)
        throw new Failure(`it ended with ${this.child.exitCode} instead of starting: ${complaint(this.stderr)}`);
      if (performance.now() > deadline)
        throw new Failure(`it ${what} within ${timeoutMs} ms: ${complaint(this.stderr)}`);
      await pause(everyMs);
    }
  }

  /** The signal that ended it; null for an exit code, and as long as it runs. */
  get signalOfEnd(): NodeJS.Signals | null {
    return this.child.signalCode;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Waits for the exit; after the timeout it is killed, and the code is null. */
  async end(): Promise<Ended> {
    const killer = setTimeout(() => {
      this.isOverdue = true;
      this.child.kill('SIGKILL');
    }, this.timeoutMs);
    const code = await this.exited;
    clearTimeout(killer);
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  /** Waits for the exit, which `why` asks for; that it does not come is a fault. */
  async mustEnd(why: string): Promise<Ended> {
    const ended = await this.end();
    if (this.isOverdue) throw new Failure(`it must end within ${this.timeoutMs} ms ${why}, it did not`);
    return ended;
  }

  /**
   * Milliseconds that all threads ran or waited for a CPU: on a busy machine a loop runs little and waits the rest. Needs a
   * kernel that counts both (CONFIG_SCHED_INFO), as all distributions' do.
   */
  wantedCpuMs(): number {
    const tasks = `/proc/${this.pid}/task`;
    const times = readdirSync(tasks).map((task) => {
      const file = `${tasks}/${task}/schedstat`;
      // Any thread but the first may have ended meanwhile.
      if (task !== String(this.pid) && !existsSync(file)) return 0;
      const [ran = 0, waited = 0] = readFileSync(file, 'latin1').split(' ').map(Number);
      return ran + waited;
    });
    return times.reduce((sum, time) => sum + time, 0) / 1e6;
  }

  /** How many descriptors it holds. */
  openFiles(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Resident memory in bytes. */
  memory(): number {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  }

  /** TCP ports on which this very process listens, one entry per socket. */
  listeningPorts(): number[] {
    return this.listening().map(({ port }) => port);
  }

  listening(): Listening[] {
    const sockets = new Set(
      readdirSync(`/proc/${this.pid}/fd`).map((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${this.pid}/fd/${fd}`))?.[1];
        } catch {
          return undefined;
        }
      }),
    );
    return ['tcp', 'tcp6'].flatMap((table) => {
      const rows = readTable(`/proc/net/${table}`);
      return rows
        .filter((cells) => cells[3] === LISTEN && sockets.has(cells[9]))
        .map((cells) => {
          const [address = '', port = ''] = cells[1]?.split(':') ?? [];
          return { address, port: Number.parseInt(port, 16) };
        });
    });
  }
}

/** Without its head; empty without the file, as `tcp6` is on a machine without IPv6. */
function readTable(file: string): string[][] {
  if (!existsSync(file)) return [];
  const rows = readFileSync(file, 'utf8').trim().split('\n').slice(1);
  return rows.map((row) => row.trim().split(/\s+/));
}

/** State column of /proc/net/tcp. */
const LISTEN = '0A';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Where a server is asked: a port of a host (default: 127.0.0.1), or a Unix socket. */
export type Place = number | { readonly host: string; readonly port: number } | { readonly path: string };

/** Sends bytes on a new connection and returns everything that arrives until the server closes it. */
export async function exchange(place: Place, request: string, timeoutMs: number = defaultTimeoutMs): Promise<string> {
  const socket = connect(typeof place === 'number' ? { port: place, host: '127.0.0.1' } : place).setEncoding('latin1');
  let answer = '';
  socket.on('data', (text: string) => {
    answer += text;
  });
  let timer: NodeJS.Timeout | undefined;
  const done = new Promise<void>((resolve, reject) => {
    socket.on('end', resolve).on('error', reject);
    timer = setTimeout(() => {
      const got =
        answer === '' ? 'it sent nothing' : `it sent ${JSON.stringify(answer.slice(0, 300))} and kept it open`;
      reject(new Failure(`it must answer and close the connection within ${timeoutMs} ms, ${got}`));
    }, timeoutMs);
  });
  socket.write(request, 'latin1');
  try {
    await done;
    return answer;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** Whether something accepts a connection. */
function opens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (isOpen: boolean) => (): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.on('error', finish(false)).on('connect', finish(true));
  });
}

/** Arguments and environment of a session, with the port in its place. */
export function startOf(
  { args, env }: Pick<SmokeSession, 'args' | 'env'>,
  port: number,
): { args: string[]; env: Record<string, string> } {
  const filled = (text: string): string => text.replaceAll('{port}', String(port));
  return {
    args: args.map(filled),
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filled(value)])),
  };
}

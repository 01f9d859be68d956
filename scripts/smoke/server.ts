/**
 * The product as a process: start, wait for its line, signal, end. Owns the process from start to exit; whatever
 * happens in between, `end` leaves none behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../support/errors.ts';
import { dyingWithParent } from '../support/run.ts';

/** How a program is started. */
export interface Launch {
  /** What comes before the program's own arguments. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Under QEMU a start takes seconds, and several on a busy machine. */
const timeoutMs = 60_000;

export class Server {
  readonly port: number;
  stdout = '';
  stderr = '';
  private readonly child: ChildProcess;
  private readonly exited: Promise<number | null>;

  /** The environment contains `env` and the PATH of `chroot`, nothing else. */
  constructor(launch: Launch, port: number, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.port = port;
    const [command, ...rest] = dyingWithParent([...launch.command, ...args]);
    this.child = spawn(command, rest, {
      cwd: launch.cwd,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env },
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
  async line(): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    while (!this.stdout.includes('\n')) {
      if (this.hasEnded)
        throw new Failure(`it ended with ${this.child.exitCode} instead of starting: ${this.stderr.trim()}`);
      if (performance.now() > deadline)
        throw new Failure(`it printed no line within ${timeoutMs} ms: ${this.stderr.trim()}`);
      await pause(2);
    }
    return this.stdout.slice(0, this.stdout.indexOf('\n'));
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Waits for the exit; after the timeout it is killed, and the code is null. */
  async end(): Promise<Ended> {
    const killer = setTimeout(() => this.child.kill('SIGKILL'), timeoutMs);
    const code = await this.exited;
    clearTimeout(killer);
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  /** TCP ports on which this very process listens, one entry per socket. */
  listeningPorts(): number[] {
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
      const rows = readFileSync(`/proc/net/${table}`, 'utf8').trim().split('\n').slice(1);
      return rows
        .map((row) => row.trim().split(/\s+/))
        .filter((cells) => cells[3] === LISTEN && sockets.has(cells[9]))
        .map((cells) => Number.parseInt(cells[1]?.split(':')[1] ?? '', 16));
    });
  }
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

/** Sends bytes on a new connection and returns everything that arrives until the server closes it. */
export async function exchange(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1').setTimeout(timeoutMs);
  let answer = '';
  socket.on('data', (text: string) => {
    answer += text;
  });
  const done = new Promise<void>((resolve, reject) => {
    socket.on('end', resolve).on('error', reject);
    socket.on('timeout', () =>
      reject(new Failure(`the connection stayed open; so far it sent ${JSON.stringify(answer)}`)),
    );
  });
  socket.write(request, 'latin1');
  try {
    await done;
    return answer;
  } finally {
    socket.destroy();
  }
}

/** Milliseconds from starting the program to its first answer, tried every millisecond. */
export async function startTime(launch: Launch): Promise<number> {
  const port = await freePort();
  const start = performance.now();
  const server = new Server(launch, port, ['--host', '127.0.0.1', String(port)]);
  try {
    while (!(await answers(port))) {
      if (server.hasEnded) throw new Failure(`it ended instead of starting: ${server.stderr.trim()}`);
      if (performance.now() - start > timeoutMs) throw new Failure(`it gave no answer within ${timeoutMs} ms`);
      await pause(1);
    }
    return performance.now() - start;
  } finally {
    server.signal('SIGTERM');
    await server.end();
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (good: boolean) => (): void => {
      socket.destroy();
      resolve(good);
    };
    socket.on('error', finish(false)).on('end', finish(false)).on('data', finish(true));
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  });
}

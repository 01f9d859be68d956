/**
 * A PostgreSQL of its own for a test (Debian: postgresql), on a free port of the loopback address, that can go away and come back.
 * Owns the process and its folder.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const VERSIONS = '/usr/lib/postgresql';

/** Debian keeps the programs of each version apart; null if there are none. */
export const postgresPrograms: string | null = newest();

export class PostgreSQL {
  readonly port: number;
  readonly #folder: string;
  #process: ChildProcess | null = null;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
  }

  static async start(): Promise<PostgreSQL> {
    const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-postgresql-'));
    const user = unprivileged();
    if (user.uid !== undefined) chownSync(folder, user.uid, user.gid as number);
    const data = ['--pgdata', path.join(folder, 'data'), '--username', 'postgres', '--auth', 'trust'];
    execFileSync(program('initdb'), [...data, '--no-sync', '--no-locale', '--encoding', 'UTF8'], {
      ...user,
      cwd: folder,
    });
    const server = new PostgreSQL(await freePort(), folder);
    await server.comeBack();
    return server;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  /** Resolves when it takes connections. */
  async comeBack(): Promise<void> {
    const folder = this.#folder;
    const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off'];
    const args = ['-D', path.join(folder, 'data'), '-p', `${this.port}`, ...settings.flatMap((one) => ['-c', one])];
    const child = spawn(program('postgres'), args, {
      ...unprivileged(),
      cwd: folder,
      env: { LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    let log = '';
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}: ${log}`)));
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes('ready to accept connections')) resolve();
      });
    });
  }

  /** Ends all sessions and itself (SIGINT: "fast shutdown"), or dies at once. */
  async goAway(signal: 'SIGINT' | 'SIGKILL' = 'SIGINT'): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  async close(): Promise<void> {
    await this.goAway();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function newest(): string | null {
  if (!existsSync(VERSIONS)) return null;
  const [version] = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a));
  const folder = version === undefined ? null : path.join(VERSIONS, version, 'bin');
  return folder !== null && existsSync(path.join(folder, 'initdb')) ? folder : null;
}

function program(name: string): string {
  if (postgresPrograms === null) throw new Error('PostgreSQL must be installed: apt-get install postgresql');
  return path.join(postgresPrograms, name);
}

/** It refuses to run as root. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (option: string) => Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

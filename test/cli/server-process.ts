/** A server as a process, from source or packaged. Owns the process; its caller ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

export const ROOT = path.join(import.meta.dirname, '../..');

/** The command line that runs the program from source. */
export const SOURCE: readonly string[] = [process.execPath, path.join(ROOT, 'src/main.ts')];

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SpawnOptions {
  /** The program and its leading arguments. */
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export class ServerProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  #whenPrinted: (() => void)[] = [];

  constructor(args: readonly string[], options: SpawnOptions = {}) {
    const { command = SOURCE, environment = {}, cwd = ROOT } = options;
    const [program = '', ...before] = command;
    const { PATH = '' } = process.env;
    this.child = spawn(program, [...before, ...args], {
      cwd,
      env: { PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      for (const resolve of this.#whenPrinted.splice(0)) resolve();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
        for (const waiting of this.#whenPrinted.splice(0)) waiting();
      });
    });
  }

  /** Starts one and waits for its ready line. */
  static async start(args: readonly string[], options: SpawnOptions = {}): Promise<ServerProcess> {
    const server = new ServerProcess(args, options);
    await server.ready();
    return server;
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** As the ready line says. */
  get port(): number {
    return Number(/:(\d+) \(/.exec(this.stdout)?.[1] ?? Number.NaN);
  }

  async ready(): Promise<void> {
    while (!this.stdout.includes('\n')) {
      if (this.hasEnded) throw new Error(`the server ended (${this.child.exitCode}): ${this.stderr}`);
      await new Promise<void>((resolve) => this.#whenPrinted.push(resolve));
    }
  }

  /** Resolves when it has printed the text. */
  async printed(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.hasEnded) throw new Error(`the server ended (${this.child.exitCode}): ${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => this.#whenPrinted.push(resolve));
    }
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  stop(): Promise<Ended> {
    this.child.kill('SIGTERM');
    return this.ended;
  }

  kill(): Promise<Ended> {
    this.child.kill('SIGKILL');
    return this.ended;
  }
}

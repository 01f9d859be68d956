/**
 * One application that a server keeps running: started with its own environment, waited for until it can serve, started again
 * when it ends, with back-off and within a limit, stopped with SIGTERM and then SIGKILL. Owns the process, and what it prints.
 */
import type { ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import { isReady, type ReadinessCheck } from './readiness.ts';

export interface ApplicationSettings {
  /** For messages. */
  readonly name: string;
  /** Found in PATH unless it has a slash. */
  readonly command: string;
  readonly args: readonly string[];
  /** null: the server's. */
  readonly workingDir: string | null;
  /** All of it. */
  readonly env: Readonly<Record<string, string>>;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly port: number;
  /** Where it listens instead; null: at the port. */
  readonly unixPath: string | null;
  readonly autoRestart: boolean;
  /** Restarts within `restartWindowMs` before it is given up; Infinity: no limit. */
  readonly maxRestarts: number;
  readonly restartWindowMs: number;
  /** Before the first restart; doubles up to `maxBackOffMs`. */
  readonly backOffMs: number;
  readonly maxBackOffMs: number;
  /** Asked for before it counts as up; null: its port must accept connections. */
  readonly readiness: ReadinessCheck | null;
  /** Until it is up. */
  readonly startTimeoutMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly stopTimeoutMs: number;
}

export interface ApplicationEvents {
  /** Something happened that a person should know. */
  report(text: string): void;
  /** Whole lines that it printed, each with its LF. */
  print(lines: string): void;
  /** Its process, its restarts or whether it is up may be others now. */
  changed(): void;
}

/**
 * Waits until the server is gone, which closes its input, and ends the group of processes $1; $2: seconds from SIGTERM to
 * SIGKILL. `-s` before `--`: dash takes no other way.
 */
const GUARD = 'read -r _; kill -s TERM -- "-$1" && sleep "$2" && kill -s KILL -- "-$1"';

const State = { stopped: 0, starting: 1, running: 2, waiting: 3, stopping: 4 } as const;
type StateValue = (typeof State)[keyof typeof State];

/** Between two tries to connect. */
const TRY_MS = 50;
/** A line without an end is cut here. */
const LONGEST_LINE = 64 * 1024;

export class Application {
  readonly settings: ApplicationSettings;
  readonly #events: ApplicationEvents;
  #state: StateValue = State.stopped;
  /** Owned. */
  #child: ChildProcess | null = null;
  /** Owned. Ends the process if the server is killed. */
  #guard: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #backOffMs: number;
  /** When it was started again, within the window. */
  #restarts: number[] = [];
  #whenEnded: (() => void)[] = [];
  #restartCount = 0;

  constructor(settings: ApplicationSettings, events: ApplicationEvents) {
    this.settings = settings;
    this.#events = events;
    this.#backOffMs = settings.backOffMs;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get restarts(): number {
    return this.#restartCount;
  }

  get isRunning(): boolean {
    return this.#state === State.running;
  }

  /** Resolves when it is up: true; or when it does not in time, or the process ends: false. */
  async start(): Promise<boolean> {
    this.#spawn();
    const child = this.#child;
    const { startTimeoutMs, port, unixPath, name, readiness } = this.settings;
    for (
      const end = performance.now() + startTimeoutMs;
      performance.now() < end && this.#child === child && child !== null;
    ) {
      if (await isReady(unixPath ?? port, readiness)) {
        if (this.#child === child && this.#state === State.starting) this.#state = State.running;
        this.#events.changed();
        return true;
      }
      await new Promise((resolve) => setTimeout(resolve, TRY_MS));
    }
    if (child !== null && this.#child === child) {
      const what = readiness === null ? 'accept connections' : `answer ${readiness.path} as it should`;
      this.#events.report(`${name}: ${unixPath ?? `port ${port}`} does not ${what} after ${startTimeoutMs} ms`);
    }
    return false;
  }

  /** Resolves when the process has ended. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const child = this.#child;
    this.#state = child === null ? State.stopped : State.stopping;
    if (child === null) return;
    const ended = new Promise<void>((resolve) => this.#whenEnded.push(resolve));
    signal(child, 'SIGTERM');
    const timer = setTimeout(() => signal(child, 'SIGKILL'), this.settings.stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  }

  /** At once, for a server that cannot wait. */
  kill(): void {
    this.#state = State.stopping;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#child !== null) signal(this.#child, 'SIGKILL');
  }

  #spawn(): void {
    const { command, args, workingDir, env, uid, gid, name } = this.settings;
    this.#state = State.starting;
    // Not by import: the bundle replaces the module, which takes 3 ms to load, for what never starts a process.
    const { spawn } = process.getBuiltinModule('node:child_process');
    const child = spawn(command, [...args], {
      env: env as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: signals of the terminal are for the server, and what it starts itself ends with it.
      detached: true,
      ...(workingDir === null ? {} : { cwd: workingDir }),
      ...(uid === null ? {} : { uid }),
      ...(gid === null ? {} : { gid }),
    });
    this.#child = child;
    if (child.pid !== undefined) this.#watchOver(child.pid);
    this.#events.changed();
    for (const output of [child.stdout, child.stderr]) this.#catch(output);
    child.once('error', (error) => {
      if (child.pid !== undefined) return;
      this.#events.report(`${name}: ${command} cannot be started: ${reasonOf(error, workingDir)}`);
      this.#onEnd(child, null);
    });
    child.once('exit', (code, sent) => this.#onEnd(child, sent ?? `exit code ${code}`));
  }

  /** Without a shell there is none: then an application outlives a server that is killed. */
  #watchOver(pid: number): void {
    const { spawn } = process.getBuiltinModule('node:child_process');
    const graceS = Math.ceil(this.settings.stopTimeoutMs / 1000);
    const guard = spawn('/bin/sh', ['-c', GUARD, 'guard', String(pid), String(graceS)], {
      env: { PATH: '/usr/bin:/bin' },
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
      // Not in the group of the server: what kills that must not kill the guard.
      detached: true,
    });
    guard.on('error', () => {});
    guard.stdin?.on('error', () => {});
    this.#guard = guard;
  }

  #catch(output: ChildProcess['stdout']): void {
    let rest = '';
    output?.setEncoding('utf8');
    output?.on('data', (text: string) => {
      rest += text;
      const end = rest.length > LONGEST_LINE ? rest.length : rest.lastIndexOf('\n') + 1;
      if (end === 0) return;
      const lines = rest.slice(0, end);
      rest = rest.slice(end);
      this.#events.print(lines.endsWith('\n') ? lines : `${lines}\n`);
    });
    output?.on('end', () => {
      if (rest !== '') this.#events.print(`${rest}\n`);
    });
  }

  #onEnd(child: ChildProcess, how: string | null): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#guard?.kill('SIGKILL');
    this.#guard = null;
    for (const resolve of this.#whenEnded.splice(0)) resolve();
    if (this.#state === State.stopping) {
      this.#state = State.stopped;
      this.#events.changed();
      return;
    }
    if (this.#state === State.running && this.#restarts.length === 0) this.#backOffMs = this.settings.backOffMs;
    this.#startAgain(how);
    this.#events.changed();
  }

  #startAgain(how: string | null): void {
    const { autoRestart, maxRestarts, restartWindowMs, maxBackOffMs, name } = this.settings;
    const ended = how === null ? '' : `ended (${how})`;
    const now = performance.now();
    this.#restarts = this.#restarts.filter((at) => now - at < restartWindowMs);
    if (!autoRestart || this.#restarts.length >= maxRestarts) {
      this.#state = State.stopped;
      const why = autoRestart
        ? `was started again ${maxRestarts} times within ${restartWindowMs / 1000} s: given up`
        : 'stays down';
      this.#events.report(`${name}: ${ended}, ${why}`);
      return;
    }
    this.#state = State.waiting;
    const pauseMs = this.#backOffMs;
    this.#backOffMs = Math.min(2 * pauseMs, maxBackOffMs);
    if (ended !== '') this.#events.report(`${name}: ${ended}, is started again in ${pauseMs} ms`);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#restarts.push(performance.now());
      this.#restartCount++;
      void this.start();
    }, pauseMs);
  }
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, name);
  } catch {
    // It has ended already.
  }
}

/** Node says of a folder that is not there that the command is not. */
function reasonOf(error: Error, workingDir: string | null): string {
  if (workingDir === null || statSync(workingDir, { throwIfNoEntry: false })?.isDirectory()) return error.message;
  return `working_dir must be a directory, got ${workingDir}`;
}

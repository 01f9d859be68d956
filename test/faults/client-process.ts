/** Clients in a process of their own, with their own limit on open files and their own event loop. Owns the process. */
import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';

/** What a client process is to do. */
export interface Order {
  readonly type: string;
}

export class ClientProcess {
  readonly #child: ChildProcess;
  readonly #reports: Record<string, unknown>[] = [];
  #whenReported: (() => void)[] = [];
  #hasEnded = false;

  /** `name` is a module in `clients/`, which starts at once with `data`. */
  constructor(name: string, data: object) {
    this.#child = fork(path.join(import.meta.dirname, 'clients', `${name}.ts`), [JSON.stringify(data)]);
    this.#child.on('message', (message) => {
      this.#reports.push(message as Record<string, unknown>);
      this.#wake();
    });
    this.#child.once('exit', () => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  /** The next report. */
  async report<T>(): Promise<T> {
    for (;;) {
      const report = this.#reports.shift();
      if (report !== undefined) return report as T;
      if (this.#hasEnded) throw new Error('the client process ended without a report');
      await new Promise<void>((resolve) => this.#whenReported.push(resolve));
    }
  }

  /** Sends the client a message. */
  tell(type: string): void {
    if (!this.#hasEnded) this.#child.send({ type } satisfies Order);
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #wake(): void {
    for (const resolve of this.#whenReported.splice(0)) resolve();
  }
}

/** For the client's side: the data that it was started with. */
export function orders<T>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T;
}

/** For the client's side. */
export function report(facts: object): void {
  process.send?.(facts);
}

/** For the client's side: resolves at the message. */
export function told(type: string): Promise<void> {
  return new Promise((resolve) => {
    process.on('message', (message) => {
      if ((message as Order).type === type) resolve();
    });
  });
}

/** What goes wrong while a worker serves, in a file that all workers append to: a time, the worker, a text. Owns the file. */
import { LogFile } from './log-file.ts';
import { type RotationOptions, Rotator } from './rotation.ts';

export interface ErrorLogOptions {
  readonly path: string;
  readonly worker: number;
  /** null: not by us. */
  readonly rotation: RotationOptions | null;
  /** Told that the log itself cannot be written. */
  readonly report: (error: unknown) => void;
}

export class ErrorLog {
  readonly #worker: number;
  readonly #file: LogFile;

  /** Throws what the system says if the file cannot be opened. */
  constructor({ path, worker, rotation, report }: ErrorLogOptions) {
    this.#worker = worker;
    const rotator = rotation === null || worker > 0 ? null : new Rotator(path, rotation, report);
    this.#file = new LogFile({ path, bufferLines: 1, flushMs: 1000, rotator, report });
  }

  /** `text` holds no controls but line ends. */
  append(text: string): void {
    this.#file.append(`${new Date().toISOString()} worker ${this.#worker}: ${text}\n`);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

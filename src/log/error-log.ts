/** What goes wrong while a server runs, in a file that all of it appends to: a time, who says it, a text. Owns the file. */
import { LogFile } from './log-file.ts';
import { type RotationOptions, Rotator } from './rotation.ts';

export interface ErrorLogOptions {
  readonly path: string;
  /** Who appends: `worker 0`. */
  readonly who: string;
  /** null: not by us. */
  readonly rotation: RotationOptions | null;
  /** Told that the log itself cannot be written. */
  readonly report: (error: unknown) => void;
}

export class ErrorLog {
  readonly #who: string;
  readonly #file: LogFile;

  /** Throws what the system says if the file cannot be opened. */
  constructor({ path, who, rotation, report }: ErrorLogOptions) {
    this.#who = who;
    const rotator = rotation === null ? null : new Rotator(path, rotation, report);
    this.#file = new LogFile({ path, bufferLines: 1, flushMs: 1000, rotator, report });
  }

  /** `text` holds no controls but line ends. */
  append(text: string): void {
    this.#file.append(`${new Date().toISOString()} ${this.#who}: ${text}\n`);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/**
 * A log that several workers append to, each from its own buffer: whole lines, written in Node's pool, off the path of requests.
 * Opened again when the file has been moved or removed, whoever did it. Owns its descriptor and its timer.
 */
import { close, fstatSync, mkdirSync, openSync, statSync, write } from 'node:fs';
import path from 'node:path';
import type { Rotator } from './rotation.ts';

export interface LogFileOptions {
  /** null: standard output. */
  readonly path: string | null;
  /** Lines that wait at most before they are written … */
  readonly bufferLines: number;
  /** … or for this long. */
  readonly flushMs: number;
  /** null: rotated by another worker, or by nobody. */
  readonly rotator: Rotator | null;
  readonly report: (error: unknown) => void;
}

/** What waits while the disk is slow or full; more is dropped, and counted. */
const MAX_WAITING = 8 * 1024 * 1024;
const STDOUT = 1;
/** Between two messages about the same trouble. */
const REPORT_EVERY_MS = 60_000;

export class LogFile {
  readonly #options: LogFileOptions;
  #descriptor = -1;
  #inode = -1;
  #lines = 0;
  #waiting = '';
  #isWriting = false;
  #timer: NodeJS.Timeout | null = null;
  #dropped = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;
  #isClosing = false;
  #whenWritten: (() => void) | null = null;

  /** Throws what the system says if the file cannot be opened. */
  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#open();
  }

  /** `line` ends with LF. */
  append(line: string): void {
    if (this.#waiting.length > MAX_WAITING) {
      this.#dropped++;
      return;
    }
    this.#waiting += line;
    if (++this.#lines >= this.#options.bufferLines) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), this.#options.flushMs);
  }

  /** Resolves when everything has been written, or cannot be. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#flush();
    if (this.#isWriting) {
      await new Promise<void>((resolve) => {
        this.#whenWritten = resolve;
      });
    }
    if (this.#descriptor > STDOUT) close(this.#descriptor, () => {});
    this.#descriptor = -1;
    this.#options.rotator?.close();
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isWriting || this.#waiting === '') return;
    const text = this.#waiting;
    this.#waiting = '';
    this.#lines = 0;
    try {
      this.#openAgain(text.length);
    } catch (error) {
      this.#fail(error, text);
      return;
    }
    this.#write(Buffer.from(text), 0);
  }

  #write(bytes: Buffer, from: number): void {
    this.#isWriting = true;
    write(this.#descriptor, bytes, from, bytes.length - from, null, (error, written) => {
      this.#isWriting = false;
      if (error?.code === 'EAGAIN') {
        // A pipe whose reader is slow.
        setTimeout(() => this.#write(bytes, from), 50);
        this.#isWriting = true;
        return;
      }
      if (error !== null) this.#fail(error, '');
      else if (from + written < bytes.length) {
        this.#write(bytes, from + written);
        return;
      }
      if (error === null && this.#dropped > 0) {
        this.#options.report(`${this.#dropped} lines of ${this.#name} were lost`);
        this.#dropped = 0;
      }
      if (this.#waiting !== '' && (this.#isClosing || this.#lines >= this.#options.bufferLines)) this.#flush();
      if (!this.#isWriting) this.#whenWritten?.();
    });
  }

  /** The lines are lost: a server goes on when its disk is full. */
  #fail(error: unknown, text: string): void {
    this.#dropped += text === '' ? 1 : text.split('\n').length - 1;
    const now = performance.now();
    if (now - this.#reportedAt < REPORT_EVERY_MS) return;
    this.#reportedAt = now;
    this.#options.report(`${this.#name} cannot be written: ${(error as Error).message}`);
  }

  get #name(): string {
    return this.#options.path ?? 'standard output';
  }

  #open(): void {
    const file = this.#options.path;
    if (file === null) {
      this.#descriptor = STDOUT;
      return;
    }
    mkdirSync(path.dirname(file), { recursive: true });
    // Appended by the kernel: lines of several workers do not mix.
    this.#descriptor = openSync(file, 'a', 0o640);
    this.#inode = fstatSync(this.#descriptor).ino;
  }

  #openAgain(size: number): void {
    const file = this.#options.path;
    if (file === null) return;
    this.#options.rotator?.rotateBefore(size);
    if (statSync(file, { throwIfNoEntry: false })?.ino === this.#inode && this.#descriptor >= 0) return;
    if (this.#descriptor >= 0) close(this.#descriptor, () => {});
    this.#descriptor = -1;
    this.#open();
  }
}

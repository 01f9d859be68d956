/** Moves a log away when it is large or old enough, compresses what was moved, and removes the oldest. One worker does it for all. */
import { createReadStream, createWriteStream, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';

export interface RotationOptions {
  readonly maxSize: number;
  /** null: by size only. */
  readonly every: 'hour' | 'day' | null;
  readonly maxBackups: number;
  /** Older ones are removed; Infinity: never for their age. */
  readonly maxAgeMs: number;
  readonly compress: 'gzip' | 'zstd' | null;
}

/** Until the other workers have noticed, and opened the new file. */
const COMPRESS_AFTER_MS = 3000;
const SUFFIXES = { gzip: '.gz', zstd: '.zst' } as const;
/** `access.log.20250809T101532Z`, with a number if there are several of one second. */
const STAMP = /^\.\d{8}T\d{6}Z(?:-\d+)?(?:\.gz|\.zst)?$/;

export class Rotator {
  readonly #file: string;
  readonly #options: RotationOptions;
  readonly #report: (error: unknown) => void;
  readonly #now: () => number;
  #period: number;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(file: string, options: RotationOptions, report: (error: unknown) => void, now: () => number = Date.now) {
    this.#file = file;
    this.#options = options;
    this.#report = report;
    this.#now = now;
    // A file that is older than this process belongs to its own period.
    this.#period = this.#periodOf(statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? now());
  }

  /** Before that many bytes are appended. */
  rotateBefore(size: number): void {
    const found = statSync(this.#file, { throwIfNoEntry: false });
    if (found === undefined || found.size === 0) return;
    const period = this.#periodOf(this.#now());
    if (found.size + size <= this.#options.maxSize && period === this.#period) return;
    this.#period = period;
    const moved = this.#freeName();
    renameSync(this.#file, moved);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#finish(moved).catch(this.#report);
    }, COMPRESS_AFTER_MS);
    timer.unref();
    this.#timers.add(timer);
    if (this.#options.compress === null) this.removeOld();
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #finish(moved: string): Promise<void> {
    const { compress } = this.#options;
    if (compress !== null) await compressFile(moved, compress);
    this.removeOld();
  }

  removeOld(): void {
    const { maxBackups, maxAgeMs } = this.#options;
    const folder = path.dirname(this.#file);
    const base = path.basename(this.#file);
    const names = readdirSync(folder).filter((name) => name.startsWith(base) && STAMP.test(name.slice(base.length)));
    const kept = names.toSorted().reverse();
    for (const [index, name] of kept.entries()) {
      const full = path.join(folder, name);
      const age = this.#now() - (statSync(full, { throwIfNoEntry: false })?.mtimeMs ?? this.#now());
      if (index >= maxBackups || age > maxAgeMs) rmSync(full, { force: true });
    }
  }

  #freeName(): string {
    const stamp = new Date(this.#now()).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
    const name = `${this.#file}.${stamp}`;
    for (let number = 0; ; number++) {
      const candidate = number === 0 ? name : `${name}-${number}`;
      const isFree = ['', '.gz', '.zst'].every(
        (suffix) => statSync(candidate + suffix, { throwIfNoEntry: false }) === undefined,
      );
      if (isFree) return candidate;
    }
  }

  #periodOf(ms: number): number {
    const { every } = this.#options;
    return every === null ? 0 : Math.floor(ms / (every === 'hour' ? 3_600_000 : 86_400_000));
  }
}

/** The whole is there, under its name, or nothing is. */
export async function compressFile(file: string, coding: 'gzip' | 'zstd'): Promise<void> {
  const target = `${file}${SUFFIXES[coding]}`;
  const encoder = coding === 'gzip' ? createGzip() : createZstdCompress();
  await pipeline(createReadStream(file), encoder, createWriteStream(`${target}.part`, { mode: 0o640 }));
  renameSync(`${target}.part`, target);
  rmSync(file, { force: true });
}

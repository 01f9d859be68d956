/** One version of an open file: its descriptor, its users, and the check that it is still the same version. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import type { ByteRange } from '../content/ranges.ts';
import type { FileSource } from './file-plan.ts';

/** Owns its descriptor and closes it when the last user releases it. */
export class OpenFile {
  readonly #fd: number;
  readonly #size: number;
  readonly #mtimeMs: number;
  #users = 1;

  /** Starts with one user. `size` and `mtimeMs` identify the version. */
  constructor(fd: number, size: number, mtimeMs: number) {
    this.#fd = fd;
    this.#size = size;
    this.#mtimeMs = mtimeMs;
  }

  retain(): this {
    if (this.#users === 0) throw new Error('a file must not be used after it was closed');
    this.#users++;
    return this;
  }

  release(): void {
    if (--this.#users === 0) closeSync(this.#fd);
  }

  /** Reads `length` bytes at `position`. False if they are not there or not of this version. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): boolean {
    for (let done = 0; done < length; ) {
      const count = readSync(this.#fd, buffer, offset + done, length - done, position + done);
      if (count === 0) return false;
      done += count;
    }
    return this.#isSame();
  }

  /**
   * A file that grows, like a log, can still be sent at its old length. A rewritten file has a new time or, while it is being
   * written, a smaller size. Checked after each piece: 1 µs per 128 KiB.
   */
  #isSame(): boolean {
    const { size, mtimeMs } = fstatSync(this.#fd);
    return size > this.#size || (size === this.#size && mtimeMs === this.#mtimeMs);
  }
}

/** Parts of a file, and literal bytes between them, as one content. Holds the file until `close`. */
export class FileSlices implements FileSource {
  readonly length: number;
  readonly #pieces: readonly (Uint8Array | ByteRange)[];
  #file: OpenFile | null;

  constructor(file: OpenFile, pieces: readonly (Uint8Array | ByteRange)[], length: number) {
    this.#file = file.retain();
    this.#pieces = pieces;
    this.length = length;
  }

  readInto(buffer: Uint8Array, position: number): number {
    const file = this.#file;
    if (file === null) return -1;
    let filled = 0;
    let start = 0;
    for (const piece of this.#pieces) {
      const length = piece instanceof Uint8Array ? piece.length : piece.end - piece.start + 1;
      const skipped = position + filled - start;
      start += length;
      if (skipped >= length) continue;
      const count = Math.min(length - skipped, buffer.length - filled);
      if (count === 0) break;
      if (piece instanceof Uint8Array) buffer.set(piece.subarray(skipped, skipped + count), filled);
      else if (!this.#read(file, buffer, filled, count, piece.start + skipped)) return -1;
      filled += count;
    }
    return filled;
  }

  close(): void {
    this.#file?.release();
    this.#file = null;
  }

  /** A failing disk or network counts as a change. */
  #read(file: OpenFile, buffer: Uint8Array, offset: number, length: number, position: number): boolean {
    try {
      return file.read(buffer, offset, length, position);
    } catch {
      return false;
    }
  }
}

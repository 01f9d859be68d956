/** Lines that are appended to a file, and to the file that takes its place when it is rotated. Owns a descriptor. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

const PIECE = 256 * 1024;
/** A line without an end is dropped beyond this. */
const LONGEST = 1024 * 1024;

export class FollowedFile {
  readonly #path: string;
  #descriptor: number;
  #inode: number;
  #position: number;
  #rest = '';
  readonly #piece = Buffer.allocUnsafe(PIECE);

  /** From its present end on. Throws what the system says if it cannot be opened. */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, 'r');
    const { ino, size } = fstatSync(this.#descriptor);
    this.#inode = ino;
    this.#position = size;
  }

  /** Whole lines since the last call, without their ends. */
  read(): string[] {
    const lines = this.#readOn();
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (now === undefined) return lines;
    if (now.ino !== this.#inode) {
      closeSync(this.#descriptor);
      this.#descriptor = openSync(this.#path, 'r');
      this.#inode = now.ino;
    } else if (now.size >= this.#position) {
      return lines;
    }
    // Another file, or the same one emptied.
    this.#position = 0;
    this.#rest = '';
    return lines.concat(this.#readOn());
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #readOn(): string[] {
    let text = this.#rest;
    for (;;) {
      const count = readSync(this.#descriptor, this.#piece, 0, PIECE, this.#position);
      if (count === 0) break;
      this.#position += count;
      text += this.#piece.toString('utf8', 0, count);
    }
    const lines = text.split('\n');
    const rest = lines.pop() as string;
    this.#rest = rest.length > LONGEST ? '' : rest;
    return lines;
  }
}

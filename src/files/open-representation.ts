/** Opens files: checks type and location, and reads small ones. Synchronous, since the thread pool costs five times as much. */
import { Buffer } from 'node:buffer';
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { OpenFile } from './open-file.ts';
import { type Coding, isSameVersion, Representation } from './representation.ts';

/** `busy`: out of descriptors. `missing`: absent, unreadable, not a regular file, or outside of the root. */
export type NoFile = 'missing' | 'directory' | 'busy';

/** Opening a FIFO must not block, and a terminal must not become ours. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
/** A file that keeps changing is then read in pieces instead. */
const MAX_READS = 3;

/** `root` must be a real path; null: no restriction. */
export function openRepresentation(
  path: string,
  root: string | null,
  coding: Coding,
  keepBelow: number,
): Representation | NoFile {
  let fd = -1;
  try {
    // Look before opening: merely opening a device can have effects.
    const stats = statOf(path);
    if (stats === null) return 'missing';
    if (stats.isDirectory()) return root === null || isBelow(realpathSync(path), root) ? 'directory' : 'missing';
    if (!stats.isFile()) return 'missing';
    fd = openSync(path, OPEN_FLAGS);
    const opened = fstatSync(fd);
    if (!opened.isFile() || (root !== null && !isBelow(realPathOf(fd, path), root))) return 'missing';
    const body = opened.size <= keepBelow ? readWhole(fd, opened.size) : null;
    if (body !== null) return new Representation(coding, body.stats, body.bytes);
    const large = new Representation(coding, opened, new OpenFile(fd, opened.size, opened.mtimeMs));
    fd = -1;
    return large;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'EMFILE' || code === 'ENFILE' || code === 'ENOMEM' ? 'busy' : 'missing';
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

/** Follows symbolic links. Null if there is nothing or access is denied. */
export function statOf(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

export function isBelow(realPath: string, root: string): boolean {
  return realPath === root || realPath.startsWith(root === '/' ? root : `${root}/`);
}

/**
 * The real path of an open file, so that no link can be swapped between check and open. Without /proc, as in an empty chroot,
 * resolves the path again and requires it to lead to the same file.
 */
function realPathOf(fd: number, path: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    const real = realpathSync(path);
    return isSameVersion(statSync(real), fstatSync(fd)) ? real : '';
  }
}

/** Null if the file changed during every attempt. */
function readWhole(fd: number, firstSize: number): { bytes: Buffer; stats: Stats } | null {
  let size = firstSize;
  for (let attempt = 0; attempt < MAX_READS; attempt++) {
    const before = fstatSync(fd);
    size = before.size;
    if (size > firstSize) return null;
    const bytes = Buffer.allocUnsafeSlow(size);
    let length = 0;
    while (length < size) {
      const count = readSync(fd, bytes, length, size - length, length);
      if (count === 0) break;
      length += count;
    }
    const stats = fstatSync(fd);
    if (length === size && isSameVersion(before, stats)) return { bytes, stats };
  }
  return null;
}

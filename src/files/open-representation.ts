/** Opens a file as a representation: what it is, that it is below the root, and its bytes where they are few. Never waits for the pool. */
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

/** `busy`: out of descriptors. `missing`: not there, not to be read, no regular file, or out of the root. */
export type NoFile = 'missing' | 'directory' | 'busy';

/** A FIFO or a device must neither hold us up nor become our terminal. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
/** A file that is written to all the time is given up as a small one. */
const MAX_READS = 3;

/** `root` is a real path without a slash at its end; null: anywhere. */
export function openRepresentation(
  path: string,
  root: string | null,
  coding: Coding,
  keepBelow: number,
): Representation | NoFile {
  let fd = -1;
  try {
    // Not opened before it is known what it is: to open a device can do something.
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

/** Null: there is nothing, or nothing that may be looked at. Symbolic links are followed. */
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
 * Where what is open really is, so that no link can be changed between the look and the opening. Without /proc, as in an empty
 * chroot, the path is looked up anew, and must lead to the same file.
 */
function realPathOf(fd: number, path: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    const real = realpathSync(path);
    return isSameVersion(statSync(real), fstatSync(fd)) ? real : '';
  }
}

/** Null: it changed while it was read, time and again. */
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

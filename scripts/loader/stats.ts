/** What `node:fs` says of packed files: read-only, owned by root, all of one time. */
import fs from 'node:fs';
import type { Files } from './files.ts';

const blockSize = 4096;

/** undefined if nothing is there. */
export function statsOf(files: Files, path: string, isBig: boolean): fs.Stats | fs.BigIntStats | undefined {
  const file = files.file(path);
  if (file === undefined && !files.isFolder(path)) return undefined;
  const size = file?.[1] ?? 0;
  const ms = files.index.time * 1000;
  const numbers = {
    dev: 0,
    mode: file === undefined ? 0o040555 : 0o100444,
    nlink: 1,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: blockSize,
    ino: numberOf(path),
    size,
    blocks: Math.ceil(size / 512),
    atimeMs: ms,
    mtimeMs: ms,
    ctimeMs: ms,
    birthtimeMs: ms,
  };
  const time = new Date(ms);
  const dates = { atime: time, mtime: time, ctime: time, birthtime: time };
  const stats = Object.create(fs.Stats.prototype) as fs.Stats;
  if (!isBig) return Object.defineProperties(stats, descriptors({ ...numbers, ...dates }));
  const ns = BigInt(ms) * 1_000_000n;
  const big = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, BigInt(value)]));
  const times = { atimeNs: ns, mtimeNs: ns, ctimeNs: ns, birthtimeNs: ns };
  const kinds = { isFile: () => file !== undefined, isDirectory: () => file === undefined };
  const all = { ...big, ...times, ...dates, ...kinds };
  return Object.defineProperties(stats, descriptors(all)) as unknown as fs.BigIntStats;
}

/** The dates of the prototype have setters, which a plain assignment would call. */
function descriptors(values: Readonly<Record<string, unknown>>): PropertyDescriptorMap {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      { value, writable: true, enumerable: typeof value !== 'function', configurable: true },
    ]),
  );
}

/** Distinct enough for programs that recognize a file by its number (FNV-1a). */
function numberOf(path: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < path.length; at++) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

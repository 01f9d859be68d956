/**
 * A deterministic .tar.gz: entries sorted by name, one time for all, owner 0, no name and no time in the gzip header.
 * Pure functions: files in, bytes out. Source: POSIX.1-2017, pax, "ustar interchange format"; RFC 1952.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

export interface FileEntry {
  readonly name: string;
  readonly mode: 0o644 | 0o755;
  readonly data: Uint8Array;
}

/** The name ends in a slash. */
export interface FolderEntry {
  readonly name: `${string}/`;
  readonly mode: 0o755;
}

export type Entry = FileEntry | FolderEntry;

/** `time` in seconds since 1970. */
export function tar(entries: readonly Entry[], time: number): Buffer {
  // A folder's name is a prefix of the names inside it, so it comes first.
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  const blocks = sorted.flatMap((entry) => {
    const data = 'data' in entry ? entry.data : new Uint8Array();
    return [header(entry, data.length, time), data, Buffer.alloc(-data.length & 511)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export async function tarGz(entries: readonly Entry[], time: number): Promise<Buffer> {
  const packed = await promisify(gzip)(tar(entries, time), { level: 9, memLevel: 9 });
  // Byte 9 names the operating system that packed it: 255 is "unknown", on every machine.
  packed[9] = 255;
  return packed;
}

function header(entry: Entry, size: number, time: number): Buffer {
  const { name, mode } = entry;
  if (Buffer.byteLength(name) > 100) throw new RangeError(`a ustar name must have at most 100 bytes, got "${name}"`);
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number): void => {
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  };
  block.write(name, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(time, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write('data' in entry ? '0' : '5', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write('root', 265);
  block.write('root', 297);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

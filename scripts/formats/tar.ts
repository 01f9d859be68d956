/**
 * A deterministic .tar.gz: entries sorted by name, one time for all, owner 0, no name and no time in the gzip header.
 * Pure functions: files in, bytes out. Source: POSIX.1-2017, pax, "ustar interchange format"; RFC 1952.
 */
import { type Deflate, gzip } from './gzip.ts';

export interface FileEntry {
  readonly name: string;
  readonly mode: 0o644 | 0o755;
  readonly data: Uint8Array;
  /** Keywords of a pax extended header. */
  readonly pax?: Readonly<Record<string, string>>;
}

/** The name ends in a slash. */
export interface FolderEntry {
  readonly name: `${string}/`;
  readonly mode: 0o755;
}

export type Entry = FileEntry | FolderEntry;

/** `time` in seconds since 1970. */
export function tar(entries: readonly Entry[], time: number): Buffer {
  return Buffer.concat(tarParts(entries, time));
}

/** The same, without copying the data. */
export function tarParts(entries: readonly Entry[], time: number): Uint8Array[] {
  // A folder's name is a prefix of the names inside it, so it comes first.
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  const blocks = sorted.flatMap((entry) => {
    const data = 'data' in entry ? entry.data : new Uint8Array();
    const extended = 'pax' in entry && entry.pax !== undefined ? paxBlocks(entry.name, entry.pax, time) : [];
    return [...extended, header(entry, data.length, time), data, Buffer.alloc(-data.length & 511)];
  });
  return [...blocks, Buffer.alloc(1024)];
}

export function tarGz(entries: readonly Entry[], time: number, deflate?: Deflate): Promise<Buffer> {
  return gzip(tarParts(entries, time), deflate);
}

function paxBlocks(name: string, keywords: Readonly<Record<string, string>>, time: number): Uint8Array[] {
  const records = Object.entries(keywords).map(([keyword, value]) => {
    const rest = ` ${keyword}=${value}\n`;
    // The length counts its own digits.
    let length = rest.length + 1;
    while (String(length).length + rest.length !== length) length++;
    return `${length}${rest}`;
  });
  const data = Buffer.from(records.join(''));
  const block = header({ name: `PaxHeaders/${name}`.slice(0, 100), mode: 0o644, data }, data.length, time, 'x');
  return [block, data, Buffer.alloc(-data.length & 511)];
}

function header(entry: Entry, size: number, time: number, given?: '0' | '5' | 'x'): Buffer {
  // Not as a default above: Node's TypeScript parser takes no `in` there.
  const type = given ?? ('data' in entry ? '0' : '5');
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
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write('root', 265);
  block.write('root', 297);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

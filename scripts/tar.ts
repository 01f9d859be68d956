/**
 * A deterministic .tar.gz: entries sorted by name, one time for all, owner 0, no name and no time in the gzip header.
 * Pure functions: files in, bytes out. Source: POSIX.1-2017, pax, "ustar interchange format"; RFC 1952.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

export interface Entry {
  readonly name: string;
  readonly mode: 0o644 | 0o755;
  readonly data: Uint8Array;
}

/** `time` in seconds since 1970. */
export function tar(entries: readonly Entry[], time: number): Buffer {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  const blocks = sorted.flatMap(({ name, mode, data }) => [
    header(name, mode, data.length, time),
    data,
    Buffer.alloc(-data.length & 511),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export async function tarGz(entries: readonly Entry[], time: number): Promise<Buffer> {
  const packed = await promisify(gzip)(tar(entries, time), { level: 9, memLevel: 9 });
  // Octet 9 names the operating system that packed it: 255, unknown, wherever it was.
  packed[9] = 255;
  return packed;
}

function header(name: string, mode: number, size: number, time: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new RangeError(`a ustar name has at most 100 octets, got "${name}"`);
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
  block.write('        0', 148, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write('root', 265);
  block.write('root', 297);
  const sum = block.reduce((total, octet) => total + octet, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

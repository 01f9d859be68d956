/**
 * What is in a tar or a gzip file, read by other code than that which writes it (POSIX.1-2017, pax; RFC 1952). Bytes in, values
 * out; what is not whole is a Failure.
 */
import { gunzipSync } from 'node:zlib';
import { Failure } from '../support/errors.ts';

/** `folder` and `file` are all that ours have. */
export type TarKind = 'file' | 'folder' | `type ${string}`;

export interface TarEntry {
  readonly name: string;
  readonly kind: TarKind;
  /** With setuid, setgid and sticky. */
  readonly mode: number;
  /** Numbers and names: `0:0 root:root`. */
  readonly owner: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** Where a link leads; empty: it is none. */
  readonly link: string;
  readonly data: Buffer;
  /** Of the extended header before it. */
  readonly pax: Readonly<Record<string, string>>;
}

export function readTar(bytes: Buffer): TarEntry[] {
  const entries: TarEntry[] = [];
  let pax: Record<string, string> = {};
  let at = 0;
  for (; at + 512 <= bytes.length; ) {
    const block = bytes.subarray(at, at + 512);
    if (block.every((byte) => byte === 0)) break;
    const text = (from: number, length: number): string => {
      const field = block.toString('utf8', from, from + length);
      const end = field.indexOf('\0');
      return end < 0 ? field : field.slice(0, end);
    };
    const number = (from: number, length: number): number => Number.parseInt(text(from, length).trim() || '0', 8);
    const name = [text(345, 155), text(0, 100)].filter(Boolean).join('/');
    const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    if (sum !== number(148, 8))
      throw new Failure(`the header of ${name} must have the sum ${sum}, got ${number(148, 8)}`);
    const size = number(124, 12);
    const data = bytes.subarray(at + 512, at + 512 + size);
    if (data.length < size) throw new Failure(`${name} must have ${size} bytes, the file ends after ${data.length}`);
    const type = text(156, 1) || '0';
    at += 512 + Math.ceil(size / 512) * 512;
    if (type === 'x') {
      pax = paxOf(data);
      continue;
    }
    entries.push({
      name,
      kind: type === '0' ? 'file' : type === '5' ? 'folder' : `type ${type}`,
      mode: number(100, 8),
      owner: `${number(108, 8)}:${number(116, 8)} ${text(265, 32)}:${text(297, 32)}`,
      time: number(136, 12),
      link: text(157, 100),
      data,
      pax,
    });
    pax = {};
  }
  const after = bytes.subarray(at);
  if (after.some((byte) => byte !== 0))
    throw new Failure(`a tar must end with zeros, got ${after.length} bytes of others`);
  return entries;
}

function paxOf(data: Buffer): Record<string, string> {
  const values: Record<string, string> = {};
  for (let at = 0; at < data.length; ) {
    const length = Number.parseInt(data.toString('latin1', at, at + 10), 10);
    if (!(length > 0)) break;
    const [, keyword = '', value = ''] = /^\d+ ([^=]*)=(.*)\n$/s.exec(data.toString('utf8', at, at + length)) ?? [];
    values[keyword] = value;
    at += length;
  }
  return values;
}

/** Of one gzip file, or several that follow each other. */
export function gunzipWhole(bytes: Buffer): Buffer {
  const wanted = '1f8b08000000000002ff';
  const got = bytes.toString('hex', 0, 10);
  if (got !== wanted) throw new Failure(`gzip's header must have no name, time or system (${wanted}), got ${got}`);
  const { buffer, engine } = unzip(bytes);
  if (engine.bytesWritten !== bytes.length) {
    throw new Failure(`nothing must follow the gzip data, got ${bytes.length - engine.bytesWritten} bytes`);
  }
  return buffer;
}

function unzip(bytes: Buffer): { buffer: Buffer; engine: { bytesWritten: number } } {
  try {
    // `info` is documented, and not in the types.
    return gunzipSync(bytes, { info: true } as object) as unknown as ReturnType<typeof unzip>;
  } catch (error) {
    throw new Failure(`gzip data must be whole: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * The blob that Node's single-executable feature appends as an ELF note: written, and read, to prove what the product will run.
 * Layout in Node 24 (src/node_sea.cc, SeaSerializer): magic u32, flags u32, exec-argv extension u8, then the code's
 * path and the code, each a `size_t` length and its bytes; then whatever the flags announce: the code cache, likewise; a count of
 * assets, and of each the name and the data; a count of Node's options, and each of them. All lengths and counts are a `size_t` of the target.
 */
import type { Elf } from './elf.ts';

export interface SeaBlob {
  /** What stack traces call the program. */
  readonly codePath: string;
  readonly code: Buffer;
  /** Bits of `seaFlags`. */
  readonly flags: number;
  /** 0: none, 1: from the environment (NODE_OPTIONS), 2: from the command line (--node-options). */
  readonly execArgvExtension: number;
  /** What follows the code. */
  readonly rest: Buffer;
}

export interface NewBlob {
  readonly codePath: string;
  readonly code: Buffer;
  /** What V8 makes of the code before it runs; undefined: it is parsed at each start. */
  readonly codeCache?: Buffer | undefined;
  readonly assets: readonly { readonly name: string; readonly data: Buffer }[];
  readonly execArgv: readonly string[];
}

type ElfNotes = Pick<Elf, 'class' | 'notes'>;

/** Of src/node_sea.h, by bit. */
export const seaFlags = ['no warning', 'snapshot', 'code cache', 'assets', 'execArgv'] as const;

export const noteName = 'NODE_SEA_BLOB';
/** In two parts: postject refuses a file that contains the fuse twice, and this code may be bundled. */
export const fuse: string = `${'NODE_SEA'}_FUSE_fce680ab2cc467b6e072b8b5df1996b2`;

/** A string instead of a blob says what is wrong. */
export function readSeaBlob(elf: ElfNotes): SeaBlob | string {
  const blob = partsOf(elf);
  if (typeof blob === 'string') return blob;
  const { note, code } = blob;
  return {
    codePath: blob.codePath.toString('latin1'),
    code,
    flags: note.readUInt32LE(4),
    execArgvExtension: note[8] ?? 0,
    rest: note.subarray(code.byteOffset - note.byteOffset + code.length),
  };
}

/** What Node would make of the same things (--experimental-sea-config), for a target of either word size. */
export function writeSeaBlob(blob: NewBlob, elfClass: 32 | 64): Buffer {
  const { codePath, code, codeCache, assets, execArgv } = blob;
  const count = (value: number): Buffer => {
    const bytes = Buffer.alloc(elfClass / 8);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const sized = (data: Buffer): Buffer[] => [count(data.length), data];
  const head = Buffer.alloc(9);
  head.writeUInt32LE(magic);
  head.writeUInt32LE(flagsOf(blob), 4);
  head[8] = 1;
  const parts = [head, ...sized(Buffer.from(codePath)), ...sized(code)];
  if (codeCache !== undefined) parts.push(...sized(codeCache));
  if (assets.length > 0) parts.push(count(assets.length));
  for (const { name, data } of assets) parts.push(...sized(Buffer.from(name)), ...sized(data));
  if (execArgv.length > 0) parts.push(count(execArgv.length));
  for (const option of execArgv) parts.push(...sized(Buffer.from(option)));
  return Buffer.concat(parts);
}

export function flagsOf({ codeCache, assets, execArgv }: Omit<NewBlob, 'codePath' | 'code'>): number {
  return 1 | (codeCache === undefined ? 0 : 4) | (assets.length > 0 ? 8 : 0) | (execArgv.length > 0 ? 16 : 0);
}

/** Of a blob that Node has made with `useCodeCache` and nothing else. */
export function readCodeCache(blob: Buffer, elfClass: 32 | 64): Buffer {
  const parts = partsIn(blob, elfClass);
  if (typeof parts === 'string' || (blob.readUInt32LE(4) & 4) === 0)
    throw new TypeError('Node must have made a code cache');
  const size = elfClass / 8;
  const start = parts.code.byteOffset - blob.byteOffset + parts.code.length + size;
  const length = size === 8 ? Number(blob.readBigUInt64LE(start - size)) : blob.readUInt32LE(start - size);
  if (start + length !== blob.length) throw new TypeError(`the code cache must end the blob of ${blob.length} bytes`);
  return blob.subarray(start);
}

interface BlobParts {
  readonly note: Buffer;
  readonly codePath: Buffer;
  readonly code: Buffer;
}

function partsOf(elf: ElfNotes): BlobParts | string {
  const note = elf.notes.find((candidate) => candidate.name === noteName)?.desc;
  return note === undefined ? `no note named ${noteName}` : partsIn(note, elf.class);
}

function partsIn(note: Buffer, elfClass: 32 | 64): BlobParts | string {
  if (note.length < 9 || note.readUInt32LE(0) !== magic) return `the ${noteName} note does not start with Node's magic`;
  const size = elfClass / 8;
  let at = 9;
  const next = (): Buffer | undefined => {
    if (at + size > note.length) return undefined;
    const length = size === 8 ? Number(note.readBigUInt64LE(at)) : note.readUInt32LE(at);
    at += size + length;
    return at > note.length ? undefined : note.subarray(at - length, at);
  };
  const codePath = next();
  const code = next();
  if (codePath === undefined || code === undefined) return `the blob's lengths are not of ${elfClass} bits`;
  return { note, codePath, code };
}

const magic = 0x143da20;

/**
 * The blob that Node's single-executable feature appends as an ELF note: read, to prove what the product will run, and its
 * code path changed.
 * Layout in Node 24 (src/node_sea.cc, SeaSerializer): magic u32, flags u32, exec-argv extension u8, then the code's
 * path and the code, each a `size_t` length and its bytes; then whatever the flags announce.
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

/**
 * Replaces the code path in place. What follows moves up and the blob keeps its size, so the new path must not be longer;
 * Node reads by the lengths inside and ignores the zeros at the end.
 */
export function setCodePath(elf: ElfNotes, codePath: string): void {
  const blob = partsOf(elf);
  if (typeof blob === 'string') throw new TypeError(blob);
  const { note, codePath: old } = blob;
  const path = Buffer.from(codePath, 'latin1');
  if (path.length > old.length) throw new RangeError(`the code path must have at most ${old.length} bytes`);
  const start = old.byteOffset - note.byteOffset;
  note.writeUInt32LE(path.length, start - elf.class / 8);
  note.copyWithin(start + path.length, start + old.length);
  note.fill(0, note.length - (old.length - path.length));
  path.copy(note, start);
}

function partsOf(elf: ElfNotes): { note: Buffer; codePath: Buffer; code: Buffer } | string {
  const note = elf.notes.find((candidate) => candidate.name === noteName)?.desc;
  if (note === undefined) return `no note named ${noteName}`;
  if (note.length < 9 || note.readUInt32LE(0) !== magic) return `the ${noteName} note does not start with Node's magic`;
  const size = elf.class / 8;
  let at = 9;
  const next = (): Buffer | undefined => {
    if (at + size > note.length) return undefined;
    const length = size === 8 ? Number(note.readBigUInt64LE(at)) : note.readUInt32LE(at);
    at += size + length;
    return at > note.length ? undefined : note.subarray(at - length, at);
  };
  const codePath = next();
  const code = next();
  if (codePath === undefined || code === undefined) return `the blob's lengths are not of ${elf.class} bits`;
  return { note, codePath, code };
}

const magic = 0x143da20;

/**
 * Reads the blob that Node's single-executable feature appends as an ELF note, to prove what the product will run.
 * Layout in Node 24 (src/node_sea.cc, SeaSerializer): magic u32, flags u32, exec-argv extension u8, then the code's
 * path and the code, each a `size_t` length and its octets.
 */
import type { Elf } from './elf.ts';

export interface SeaBlob {
  readonly codePath: string;
  readonly code: Buffer;
}

export const noteName = 'NODE_SEA_BLOB';
export const fuse: string = `${'NODE_SEA'}_FUSE_fce680ab2cc467b6e072b8b5df1996b2`;

/** A text instead of a blob says what is wrong. */
export function readSeaBlob(elf: Elf): SeaBlob | string {
  const blob = elf.notes.find((note) => note.name === noteName)?.desc;
  if (blob === undefined) return `no note named ${noteName}`;
  if (blob.length < 9 || blob.readUInt32LE(0) !== magic) return `the ${noteName} note does not start with Node's magic`;
  const size = elf.class / 8;
  let at = 9;
  const next = (): Buffer | undefined => {
    if (at + size > blob.length) return undefined;
    const length = size === 8 ? Number(blob.readBigUInt64LE(at)) : blob.readUInt32LE(at);
    at += size + length;
    return at > blob.length ? undefined : blob.subarray(at - length, at);
  };
  const codePath = next();
  const code = next();
  if (codePath === undefined || code === undefined) return `the blob's lengths are not of ${elf.class} bits`;
  return { codePath: codePath.toString('latin1'), code };
}

const magic = 0x143da20;

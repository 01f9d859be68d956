/** The Huffman code of HPACK (RFC 7541 §5.2 and Appendix B), for reading. */
import { Buffer } from 'node:buffer';
import { readLatin1 } from '../http/latin1.ts';

/**
 * The bits of each symbol's code, by symbol; the last is the end of a string, which must not be coded. The code is canonical: codes
 * of one length are consecutive, in the order of their symbols, and follow from the lengths.
 */
// biome-ignore format: a table
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const END = 256;

/**
 * Tables of 256 entries, by the next 8 bits: a leaf has the bits that are its symbol's and the symbol; other entries are the index of
 * the next table.
 */
const LEAF = 0x10000;
const tables: number[] = makeTables();

function makeTables(): number[] {
  const made: number[] = new Array(256).fill(0);
  let code = 0;
  let bits = 0;
  for (const symbol of [...LENGTHS.keys()].sort((a, b) => (LENGTHS[a] as number) - (LENGTHS[b] as number) || a - b)) {
    const length = LENGTHS[symbol] as number;
    code *= 2 ** (length - bits);
    bits = length;
    let table = 0;
    let left = length;
    for (; left > 8; left -= 8) {
      const at = table + (Math.floor(code / 2 ** (left - 8)) & 0xff);
      if (made[at] === 0) {
        made[at] = made.length;
        for (let i = 0; i < 256; i++) made.push(0);
      }
      table = made[at] as number;
    }
    const first = table + ((code & ((1 << left) - 1)) << (8 - left));
    for (let i = 0; i < 1 << (8 - left); i++) made[first + i] = LEAF | (left << 9) | symbol;
    code++;
  }
  return made;
}

let scratch = Buffer.allocUnsafeSlow(4096);

/** The text of bytes[start, end), or null: that is no such code. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | null {
  // The shortest code has 5 bits.
  const most = ((end - start) * 8) / 5 + 1;
  if (scratch.length < most) scratch = Buffer.allocUnsafeSlow(2 * most);
  let length = 0;
  let pending = 0;
  let bits = 0;
  let table = 0;
  for (let at = start; at < end; at++) {
    pending = ((pending << 8) | (bytes[at] as number)) & 0xffff;
    bits += 8;
    while (bits >= 8) {
      const entry = tables[table + ((pending >>> (bits - 8)) & 0xff)] as number;
      if ((entry & LEAF) === 0) {
        table = entry;
        bits -= 8;
        continue;
      }
      const symbol = entry & 0x1ff;
      if (symbol === END) return null;
      scratch[length++] = symbol;
      bits -= (entry >>> 9) & 0xf;
      table = 0;
    }
  }
  for (;;) {
    const entry = tables[table + ((pending << (8 - bits)) & 0xff)] as number;
    const used = (entry >>> 9) & 0xf;
    if ((entry & LEAF) === 0 || used > bits) break;
    scratch[length++] = entry & 0x1ff;
    bits -= used;
    table = 0;
  }
  // Padding is the beginning of the end's code, which is all ones, and shorter than a byte.
  const padding = (1 << bits) - 1;
  if (table !== 0 || (pending & padding) !== padding) return null;
  return readLatin1(scratch, 0, length);
}

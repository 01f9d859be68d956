import { describe, expect, test } from 'vitest';
import { sharedPages } from '../../scripts/runtime/checks/pages.ts';

const readable = 4;
const writable = 6;

/** A file with only a header and program headers. */
function elf(is64: boolean, loads: readonly (readonly [start: number, size: number, flags: number])[]): Buffer {
  const [table, entry] = is64 ? [64, 56] : [52, 32];
  const file = Buffer.alloc(table + entry * loads.length);
  file.write('\x7fELF');
  file[4] = is64 ? 2 : 1;
  file.writeUInt16LE(entry, is64 ? 54 : 42);
  file.writeUInt16LE(loads.length, is64 ? 56 : 44);
  if (is64) file.writeBigUInt64LE(BigInt(table), 32);
  else file.writeUInt32LE(table, 28);
  for (const [index, [start, size, flags]] of loads.entries()) {
    const at = table + index * entry;
    file.writeUInt32LE(1, at);
    file.writeUInt32LE(flags, at + (is64 ? 4 : 24));
    if (is64) file.writeBigUInt64LE(BigInt(start), at + 16);
    else file.writeUInt32LE(start, at + 8);
    if (is64) file.writeBigUInt64LE(BigInt(size), at + 40);
    else file.writeUInt32LE(size, at + 20);
  }
  return file;
}

describe.each([64, 32])('%i bits', (bits) => {
  const is64 = bits === 64;

  test('names two segments with different rights on one page of 64 KiB', () => {
    // As postject left aarch64-unknown-linux-gnu: program headers after the writable segment.
    const file = elf(is64, [
      [0x20_0000, 0x1000, readable],
      [0x2c3_4970, 0x6_e2c0, writable],
      [0x2ca_3000, 0x498, readable],
    ]);
    expect(sharedPages(file)).toEqual(['0x2c34970-0x2ca2c30 and 0x2ca3000-0x2ca3498 share a page of 64 KiB']);
  });

  test('accepts segments that are apart or have the same rights', () => {
    const file = elf(is64, [
      [0x20_0000, 0x1000, readable],
      [0x20_1000, 0x1000, readable],
      [0x21_0000, 0x1_0000, writable],
      [0x22_0000, 0x10, readable],
    ]);
    expect(sharedPages(file)).toEqual([]);
  });
});

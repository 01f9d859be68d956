/**
 * The smallest executable there is: an ELF header, one segment and its machine code.
 * Source: System V ABI, chapters 4 and 5 (gabi).
 */

import { machineNumbers } from './elf.ts';

const base = 0x10000;

export function minimalElf(elf: { class: 32 | 64; machine: keyof typeof machineNumbers }, code: Uint8Array): Buffer {
  const is64 = elf.class === 64;
  const [headerSize, segmentSize] = is64 ? [64, 56] : [52, 32];
  const start = headerSize + segmentSize;
  const file = Buffer.alloc(start + code.length);
  const word = (value: number, at: number): unknown =>
    is64 ? file.writeBigUInt64LE(BigInt(value), at) : file.writeUInt32LE(value, at);
  const half = (value: number, at: number): unknown => file.writeUInt16LE(value, at);

  file.write(`\x7fELF${is64 ? '\x02' : '\x01'}\x01\x01`, 'latin1');
  half(2, 16); // ET_EXEC
  half(machineNumbers[elf.machine], 18);
  file.writeUInt32LE(1, 20);
  word(base + start, 24);
  word(headerSize, is64 ? 32 : 28);
  half(headerSize, is64 ? 52 : 40);
  half(segmentSize, is64 ? 54 : 42);
  half(1, is64 ? 56 : 44);

  file.writeUInt32LE(1, headerSize); // PT_LOAD
  file.writeUInt32LE(5, headerSize + (is64 ? 4 : 24)); // readable and executable
  const [address, physical, size, memory, alignment] = is64 ? [16, 24, 32, 40, 48] : [8, 12, 16, 20, 28];
  word(base, headerSize + address);
  word(base, headerSize + physical);
  word(file.length, headerSize + size);
  word(file.length, headerSize + memory);
  word(0x1000, headerSize + alignment);
  file.set(code, start);
  return file;
}

/**
 * Whether the kernel can map a file where its pages are larger than 4 KiB: on ARM they may have 16 KiB (Raspberry Pi 5,
 * Apple's) or 64. Two segments of different rights on one page end the program before its first instruction.
 * Source: System V ABI, chapter 5, "Program Loading"; little-endian files of both classes.
 */

const ptLoad = 1;
const largestPage = 0x1_0000;

interface Load {
  readonly flags: number;
  readonly start: number;
  readonly end: number;
}

/** One sentence for each two segments that share a page of 64 KiB though their rights differ. */
export function sharedPages(file: Buffer): string[] {
  const pageOf = (address: number): number => Math.floor(address / largestPage);
  const loads = loadsOf(file).sort((a, b) => a.start - b.start);
  return loads.flatMap((load, index) => {
    const next = loads[index + 1];
    if (next === undefined || load.flags === next.flags || pageOf(load.end - 1) < pageOf(next.start)) return [];
    return [`${hex(load.start)}-${hex(load.end)} and ${hex(next.start)}-${hex(next.end)} share a page of 64 KiB`];
  });
}

function loadsOf(file: Buffer): Load[] {
  const is64 = file[4] === 2;
  const word = (at: number): number => (is64 ? Number(file.readBigUInt64LE(at)) : file.readUInt32LE(at));
  const table = word(is64 ? 32 : 28);
  const size = file.readUInt16LE(is64 ? 54 : 42);
  const count = file.readUInt16LE(is64 ? 56 : 44);
  return Array.from({ length: count }, (_, index) => table + index * size)
    .filter((at) => file.readUInt32LE(at) === ptLoad)
    .map((at) => {
      const start = word(at + (is64 ? 16 : 8));
      return { flags: file.readUInt32LE(at + (is64 ? 4 : 24)), start, end: start + word(at + (is64 ? 40 : 20)) };
    });
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

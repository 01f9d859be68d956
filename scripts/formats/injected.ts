/**
 * Proves that a product is its runtime plus one note. Everything that injecting changes is listed here; whatever else
 * differs is a fault. Pure functions over bytes.
 *
 * What postject 1.0.0-alpha.6 (LIEF) changes, found by comparing products of all architectures with their runtimes:
 * - ELF header: where the program and section headers are, and how many;
 * - program headers: moved, behind the first segment (which grows by them, up to the next one) or into a readable
 *   segment of their own; PHDR and NOTE say where; a last segment may get its zeros (bss) in the file;
 * - a readable segment at the end: the runtime's notes, the blob's note, zeros;
 * - section headers and their names: moved; the notes' sections follow their notes; one more, without a name;
 * - sections that are not loaded: moved, and .ARM.attributes loses its content; nothing reads them at run time;
 * - dynamic executables: symbols, versions, strings, hash table, relocations and dynamic section in another order but of
 *   the same meaning (elf-tables.ts);
 * - one byte of the fuse, from 0 to 1.
 */
import { type Elf, elfBytes, hex, PF, PT, type Section, type Segment, SHF, SHT } from './elf.ts';
import { meaningOf, rewrittenSections } from './elf-tables.ts';
import { fuse, noteName } from './sea-blob.ts';

interface File {
  readonly bytes: Buffer;
  readonly elf: Elf;
}

/** Half-open, in bytes of the file. */
type Range = readonly [start: number, end: number];

/** Every difference that injecting does not explain, as a sentence. */
export function injectionFaults(runtime: File, product: File): string[] {
  return [
    ...segmentFaults(runtime.elf, product.elf),
    ...sectionFaults(runtime.elf, product.elf),
    ...noteFaults(runtime, product),
    ...meaningFaults(runtime, product),
    ...byteFaults(runtime, product),
    ...otherBytesFaults(runtime, product),
  ];
}

function segmentFaults(runtime: Elf, product: Elf): string[] {
  const loads = runtime.segments.filter(isLoad);
  const isKept = (segment: Segment): boolean =>
    !isLoad(segment) || loads.some(({ address }) => address === segment.address);
  const kept = product.segments.filter(isKept);
  const end = Math.max(...loads.map(({ address, memory }) => address + memory));
  const faults = product.segments
    .filter((segment) => !isKept(segment))
    .filter(
      ({ flags, address, physical, size, memory, alignment }) =>
        flags !== PF.R || address < end || physical !== address || size !== memory || alignment !== 0x1000,
    )
    .map((segment) => `must add only readable segments behind the runtime's, got ${inWords(segment)}`);
  if (kept.length !== runtime.segments.length) {
    return [...faults, `must have the runtime's ${runtime.segments.length} segments, got ${kept.length} of them`];
  }
  for (const [index, wanted] of runtime.segments.entries()) {
    const got = kept[index];
    if (got !== undefined && !isSameSegment(wanted, got, runtime, product)) {
      faults.push(`must have the runtime's segment ${index} (${inWords(wanted)}), got ${inWords(got)}`);
    }
  }
  return faults;
}

function isSameSegment(wanted: Segment, got: Segment, runtime: Elf, product: Elf): boolean {
  const { type, flags, offset, address, physical, size, memory, alignment } = wanted;
  if (got.type !== type || got.flags !== flags || got.alignment !== alignment) return false;
  if (got.physical !== (got.address === address ? physical : got.address)) return false;
  if (type === PT.PHDR || type === PT.NOTE) {
    // A PHDR segment may name more than the table: it is the whole room behind the first segment.
    const isTable = type === PT.NOTE || got.offset === product.segmentTable.offset;
    return isTable && got.size === got.memory && product.segments.some((load) => isLoad(load) && contains(load, got));
  }
  if (got.offset !== offset || got.address !== address) return false;
  if (got.size === size && got.memory === memory) return true;
  if (!isLoad(wanted) || got.size !== got.memory) return false;
  if (got.memory === memory) return true;
  const next = runtime.segments.find((segment) => isLoad(segment) && segment.address > address);
  const isRoom = next === undefined || (offset + got.size <= next.offset && address + got.memory <= next.address);
  return next !== undefined && size === memory && got.size > size && isRoom;
}

function contains(load: Segment, { offset, address, size }: Segment): boolean {
  const isInside = offset >= load.offset && offset + size <= load.offset + load.size;
  return isInside && address - load.address === offset - load.offset;
}

function sectionFaults(runtime: Elf, product: Elf): string[] {
  const added = product.sections.slice(runtime.sections.length);
  const [note] = added;
  const isNote = added.length === 1 && note?.type === SHT.NOTE && note.name === '' && note.flags === SHF.ALLOC;
  const faults = isNote ? [] : [`must add one section, of a note and without a name, got ${added.length}`];
  for (const [index, wanted] of runtime.sections.entries()) {
    const got = product.sections[index];
    if (got === undefined) faults.push(`must have the runtime's section ${wanted.name}, it has not`);
    else {
      const different = differentFields(movedWith(wanted, runtime, product), got);
      if (different.length > 0)
        faults.push(`must have the runtime's section ${wanted.name}, got ${different.join(', ')}`);
    }
  }
  return faults;
}

function differentFields(wanted: Section, got: Section): string[] {
  const isLoaded = (wanted.flags & SHF.ALLOC) !== 0;
  const free: readonly string[] = isLoaded ? [] : ['offset', 'size'];
  const names = Object.keys(wanted) as (keyof Section)[];
  return names
    .filter((name) => !free.includes(name) && wanted[name] !== got[name])
    .map((name) => `the ${name} ${got[name]} instead of ${wanted[name]}`);
}

/** The notes' sections keep their places in the notes' segment. */
function movedWith(section: Section, runtime: Elf, product: Elf): Section {
  const [from, to] = [runtime, product].map(({ segments }) => segments.find(({ type }) => type === PT.NOTE));
  if (section.type !== SHT.NOTE || from === undefined || to === undefined) return section;
  const { address, offset } = section;
  return { ...section, address: address - from.address + to.address, offset: offset - from.offset + to.offset };
}

/** The notes' segment is the runtime's notes, then the blob's; its note's header and padding are fixed. */
function noteFaults(runtime: File, product: File): string[] {
  const [from, to] = [runtime, product].map(({ elf }) => elf.segments.filter(({ type }) => type === PT.NOTE));
  const [old] = from ?? [];
  const [all] = to ?? [];
  if (old === undefined || all === undefined || from?.length !== 1 || to?.length !== 1) {
    return [`must have one segment of notes as the runtime has, got ${to?.length}`];
  }
  const faults: string[] = [];
  const notes = product.bytes.subarray(all.offset, all.offset + all.size);
  if (!notes.subarray(0, old.size).equals(runtime.bytes.subarray(old.offset, old.offset + old.size))) {
    faults.push("must have the runtime's notes before its own, got others");
  }
  const blob = notes.subarray(old.size);
  const name = Buffer.from(`${noteName}\0`.padEnd(Math.ceil((noteName.length + 1) / 4) * 4, '\0'));
  const header = Buffer.alloc(12);
  header.writeUInt32LE(noteName.length + 1, 0);
  const size = blob.length < 12 ? 0 : blob.readUInt32LE(4);
  header.writeUInt32LE(size, 4);
  const end = header.length + name.length + size;
  if (!blob.subarray(0, header.length + name.length).equals(Buffer.concat([header, name]))) {
    faults.push(`must have one note of its own, ${noteName} of type 0, got another header`);
  } else if (blob.length !== Math.ceil(end / 4) * 4 || blob.subarray(end).some((byte) => byte !== 0)) {
    faults.push(`must have nothing behind its note of ${size} bytes, got ${blob.length - end} bytes`);
  }
  return faults;
}

function meaningFaults(runtime: File, product: File): string[] {
  if (runtime.elf.dynamic.length === 0) return [];
  const tables = rewrittenSections(runtime.elf);
  const wanted = meaningOf(runtime.bytes, runtime.elf, tables);
  const got = meaningOf(product.bytes, product.elf, tables);
  const faults = (['symbols', 'versions', 'relocations', 'dynamic'] as const).flatMap((name) => {
    const length = Math.max(wanted[name].length, got[name].length);
    const at = Array.from({ length }, (_, index) => index).find((index) => wanted[name][index] !== got[name][index]);
    if (at === undefined) return [];
    return [
      `must have the runtime's dynamic ${name}, got ${got[name][at] ?? 'none'} instead of ${wanted[name][at] ?? 'none'}`,
    ];
  });
  // The end of the old strings stays behind the new ones.
  const left = got.leftovers.find((offset) => product.bytes[offset] !== runtime.bytes[offset]);
  if (left !== undefined) faults.push(`must have no dynamic string that nothing uses, got one at ${hex(left)}`);
  return faults;
}

/** What the runtime loads must be there, but for what injecting changes. */
function byteFaults(runtime: File, product: File): string[] {
  const except = [...headerFields(product), ...rewrittenSections(runtime.elf).map(rangeOf), ...fuseByte(runtime.bytes)];
  const faults: string[] = [];
  for (const { offset, size } of runtime.elf.segments.filter(isLoad)) {
    for (const range of without([offset, offset + size], except)) {
      const at = firstDifference(runtime.bytes, product.bytes, range);
      if (at !== undefined) faults.push(difference(runtime, product, at));
    }
  }
  const [fused] = fuseByte(runtime.bytes);
  if (fused !== undefined && product.bytes[fused[0]] !== 0x31) {
    faults.push(`must have the fuse at ${hex(fused[0])} set to 1, got ${hex(product.bytes[fused[0]] ?? 0)}`);
  }
  return faults;
}

/** Headers and names that were checked by their fields may lie anywhere; all other bytes are zero, and the file ends there. */
function otherBytesFaults(runtime: File, product: File): string[] {
  const { elf, bytes } = product;
  const tables = [elf.segmentTable, elf.sectionTable].map(
    ({ offset, entrySize, count }): Range => [offset, offset + entrySize * count],
  );
  const names = elf.sections.filter(
    ({ type, flags }) => type !== 0 && type !== SHT.NOBITS && (flags & SHF.ALLOC) === 0,
  );
  const notes = elf.segments.filter(({ type }) => type === PT.NOTE);
  const loads = elf.segments.filter(isLoad);
  const known = [...tables, ...[...names, ...notes, ...runtime.elf.segments.filter(isLoad)].map(rangeOf)];
  const end = Math.max(...[...known, ...loads.map(rangeOf)].map(([, to]) => to));
  const faults = without([0, bytes.length], known).flatMap(([start, to]) => {
    const at = bytes.subarray(start, to).findIndex((byte) => byte !== 0);
    return at < 0
      ? []
      : [`must have nothing but zeros between its parts, got ${hex(bytes[start + at] ?? 0)} at ${hex(start + at)}`];
  });
  if (bytes.length !== end) faults.push(`must end at byte ${end}, where its last part ends, got ${bytes.length} bytes`);
  return faults;
}

function headerFields({ bytes }: File): Range[] {
  return elfBytes(bytes).is64
    ? [
        [32, 48],
        [56, 58],
        [60, 62],
      ]
    : [
        [28, 36],
        [44, 46],
        [48, 50],
      ];
}

/** Of the runtime, which has it unset. */
function fuseByte(runtime: Buffer): Range[] {
  const at = runtime.indexOf(`${fuse}:0`);
  if (at < 0) return [];
  return [[at + fuse.length + 1, at + fuse.length + 2]];
}

function difference(runtime: File, product: File, at: number): string {
  const isThere = ({ offset, size, type }: Section): boolean =>
    type !== SHT.NOBITS && at >= offset && at < offset + size;
  const section = runtime.elf.sections.find(isThere)?.name ?? 'a header';
  const [wanted, got] = [runtime, product].map(({ bytes }) => hex(bytes[at] ?? 0));
  return `must be the pinned runtime outside the injected note, got ${got} instead of ${wanted} at ${hex(at)}, in ${section}`;
}

function firstDifference(a: Buffer, b: Buffer, [start, end]: Range): number | undefined {
  if (a.subarray(start, end).equals(b.subarray(start, end))) return undefined;
  for (let at = start; at < end; at++) if (a[at] !== b[at]) return at;
  return undefined;
}

/** The parts of a range that no other one covers. */
function without([start, end]: Range, others: readonly Range[]): Range[] {
  const parts: Range[] = [];
  let at = start;
  for (const [from, to] of others.toSorted(([a], [b]) => a - b)) {
    if (to <= at || from >= end) continue;
    if (from > at) parts.push([at, from]);
    at = Math.max(at, to);
  }
  if (at < end) parts.push([at, end]);
  return parts;
}

function rangeOf({ offset, size }: { offset: number; size: number }): Range {
  return [offset, offset + size];
}

function isLoad({ type }: Segment): boolean {
  return type === PT.LOAD;
}

function inWords({ type, flags, offset, address, size, memory }: Segment): string {
  const access = `${flags & PF.R ? 'R' : ''}${flags & PF.W ? 'W' : ''}${flags & PF.X ? 'X' : ''}`;
  return `type ${hex(type)} ${access} at ${hex(address)}, ${hex(size)} of ${hex(memory)} bytes at byte ${hex(offset)}`;
}

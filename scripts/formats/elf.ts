/**
 * Reads an ELF file, so that `verify` depends on the output of no tool: header, segments, sections, needed libraries,
 * required symbol versions, notes. Pure functions over bytes; little-endian files of both classes. A file that ends inside
 * something it promises is a Failure that names it.
 * Source: System V ABI, chapters 4 and 5 (gabi); GNU symbol versioning (LSB, 10.7).
 */
import { Failure } from '../support/errors.ts';
import { ElfBytes } from './elf-bytes.ts';

export interface Elf {
  readonly class: 32 | 64;
  /** As architectures.ts names it; the number of any other. */
  readonly machine: string;
  /** e_type; 2 is EXEC, a program with a fixed address. */
  readonly type: number;
  readonly entry: number;
  /** e_flags: the variant of the ABI. */
  readonly flags: number;
  readonly segmentTable: Table;
  readonly sectionTable: Table;
  readonly segments: readonly Segment[];
  readonly sections: readonly Section[];
  /** Up to DT_NULL, in the file's order. */
  readonly dynamic: readonly DynamicEntry[];
  readonly interpreter: string | null;
  /** DT_NEEDED, in the file's order. */
  readonly needed: readonly string[];
  /** Symbol versions that the file requires of libraries, such as GLIBC_2.17. */
  readonly versionsRequired: readonly string[];
  readonly hasSymbolTable: boolean;
  /** What the kernel would map both writable and executable, in words: the stack, a segment's address. */
  readonly writableCode: readonly string[];
  readonly notes: readonly Note[];
}

export interface Table {
  readonly offset: number;
  readonly entrySize: number;
  readonly count: number;
}

export interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly physical: number;
  /** In the file. */
  readonly size: number;
  readonly memory: number;
  readonly alignment: number;
}

export interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly alignment: number;
  readonly entrySize: number;
}

export interface DynamicEntry {
  readonly tag: number;
  readonly value: number;
}

export interface Note {
  readonly name: string;
  readonly desc: Buffer;
}

export function readElf(file: Buffer): Elf {
  const bytes = elfBytes(file);
  const { is64 } = bytes;
  const segmentTable = table(bytes, is64 ? 32 : 28, is64 ? 54 : 42, is64 ? 56 : 32);
  const sectionTable = table(bytes, is64 ? 40 : 32, is64 ? 58 : 46, is64 ? 64 : 40);
  const segments = readSegments(bytes, segmentTable);
  const sections = readSections(bytes, sectionTable, bytes.u16(is64 ? 62 : 50, 'the header'));
  const interpreter = segments.find((segment) => segment.type === PT.INTERP);
  const dynamic = dynamicEntries(bytes, segments);
  const strings = dynamicValue(dynamic, DT.STRTAB);
  const textOf = (offset: number): string =>
    bytes.text(offsetOf(segments, strings ?? 0) + offset, 'a name of the dynamic section');
  return {
    class: is64 ? 64 : 32,
    machine: machineNames.get(bytes.u16(18, 'the header')) ?? String(bytes.u16(18, 'the header')),
    type: bytes.u16(16, 'the header'),
    entry: bytes.word(24, 'the header'),
    flags: bytes.u32(is64 ? 48 : 36, 'the header'),
    segmentTable,
    sectionTable,
    segments,
    sections,
    dynamic,
    interpreter: interpreter === undefined ? null : bytes.text(interpreter.offset, 'the interpreter'),
    needed: dynamic.filter(({ tag }) => tag === DT.NEEDED).map(({ value }) => textOf(value)),
    versionsRequired: requiredVersions(bytes, segments, dynamic).map(({ name }) => textOf(name)),
    hasSymbolTable: sections.some(({ type }) => type === SHT.SYMTAB),
    writableCode: writableCode(segments),
    notes: segments.filter((segment) => segment.type === PT.NOTE).flatMap((segment) => readNotes(bytes, segment)),
  };
}

/** The highest x.y of all `GLIBC_x.y`, or null when there is none. */
export function highestGlibc(versions: readonly string[]): string | null {
  const numbers = versions.flatMap((version) => /^GLIBC_(\d+(?:\.\d+)+)$/.exec(version)?.[1] ?? []);
  return numbers.reduce<string | null>((high, next) => (high === null || isNewer(next, high) ? next : high), null);
}

/** Compares dotted numbers: 2.4 is older than 2.17. */
export function isNewer(a: string, b: string): boolean {
  const [x, y] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** e_machine of the architectures that the project knows. */
export const machineNumbers = { i386: 3, arm: 40, x86_64: 62, aarch64: 183 } as const;

export const PT = {
  LOAD: 1,
  DYNAMIC: 2,
  INTERP: 3,
  NOTE: 4,
  PHDR: 6,
  GNU_STACK: 0x6474e551,
  GNU_RELRO: 0x6474e552,
} as const;
export const PF = { X: 1, W: 2, R: 4 } as const;
export const SHT = { SYMTAB: 2, NOTE: 7, NOBITS: 8 } as const;
export const SHF = { ALLOC: 2 } as const;
export const DT = {
  NULL: 0,
  NEEDED: 1,
  STRTAB: 5,
  SYMTAB: 6,
  SONAME: 14,
  RPATH: 15,
  TEXTREL: 22,
  BIND_NOW: 24,
  RUNPATH: 29,
  FLAGS: 30,
  RELR: 36,
  CONFIG: 0x6ffffefa,
  DEPAUDIT: 0x6ffffefb,
  AUDIT: 0x6ffffefc,
  FLAGS_1: 0x6ffffffb,
  VERNEED: 0x6ffffffe,
  VERNEEDNUM: 0x6fffffff,
  AUXILIARY: 0x7ffffffd,
  FILTER: 0x7fffffff,
} as const;

/** The value of the first entry with this tag. */
export function dynamicValue(dynamic: readonly DynamicEntry[], tag: number): number | undefined {
  return dynamic.find((entry) => entry.tag === tag)?.value;
}

/** Dynamic entries contain addresses; the file is read by offset. */
export function offsetOf(segments: readonly Segment[], address: number): number {
  const segment = segments.find(
    ({ type, address: start, size }) => type === PT.LOAD && address >= start && address < start + size,
  );
  if (segment === undefined) throw new Failure(`no segment contains the address ${hex(address)}`);
  return address - segment.address + segment.offset;
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

export function elfBytes(file: Buffer): ElfBytes {
  if (file.length < 52 || file.readUInt32BE(0) !== 0x7f454c46) throw new Failure('not an ELF file');
  if (file[5] !== 1) throw new Failure('the ELF file must be little-endian');
  if (file[4] !== 1 && file[4] !== 2) throw new Failure(`ELF class must be 1 or 2, got ${file[4]}`);
  return new ElfBytes(file, file[4] === 2);
}

/** Where a version's name stands among the dynamic strings, and the number that symbols refer to it by. */
export interface RequiredVersion {
  readonly library: number;
  readonly name: number;
  readonly hash: number;
  readonly flags: number;
  readonly index: number;
}

export function requiredVersions(
  bytes: ElfBytes,
  segments: readonly Segment[],
  dynamic: readonly DynamicEntry[],
): RequiredVersion[] {
  const start = dynamicValue(dynamic, DT.VERNEED);
  if (start === undefined) return [];
  const what = 'the required versions';
  const found: RequiredVersion[] = [];
  let at = offsetOf(segments, start);
  for (let left = dynamicValue(dynamic, DT.VERNEEDNUM) ?? 0; left > 0; left--) {
    const library = bytes.u32(at + 4, what);
    let aux = at + bytes.u32(at + 8, what);
    for (let i = bytes.u16(at + 2, what); i > 0; i--) {
      found.push({
        library,
        name: bytes.u32(aux + 8, what),
        hash: bytes.u32(aux, what),
        flags: bytes.u16(aux + 4, what),
        index: bytes.u16(aux + 6, what),
      });
      aux += nextOf(bytes.u32(aux + 12, what), i > 1);
    }
    at += nextOf(bytes.u32(at + 12, what), left > 1);
  }
  return found;
}

/** The distance to the next of a counted chain, 0 in its last. Without the check a wrong count could go on for hours. */
function nextOf(distance: number, isMore: boolean): number {
  if ((distance !== 0) === isMore) return distance;
  throw new Failure(`the required versions must be as many as they say, got the distance ${distance} to the next`);
}

const machineNames: ReadonlyMap<number, string> = new Map(
  Object.entries(machineNumbers).map(([name, number]) => [number, name]),
);

function table(bytes: ElfBytes, offset: number, sizes: number, entrySize: number): Table {
  const read = {
    offset: bytes.word(offset, 'the header'),
    entrySize: bytes.u16(sizes, 'the header'),
    count: bytes.u16(sizes + 2, 'the header'),
  };
  if (read.offset === 0 || read.count === 0) return { ...read, count: 0 };
  if (read.entrySize !== entrySize)
    throw new Failure(`the entries of an ELF table must have ${entrySize} bytes, got ${read.entrySize}`);
  return read;
}

function readSegments(bytes: ElfBytes, { offset, entrySize, count }: Table): Segment[] {
  const what = 'the program headers';
  bytes.mustHold(offset, entrySize * count, what);
  const [flags, places] = bytes.is64 ? [4, [8, 16, 24, 32, 40, 48]] : [24, [4, 8, 12, 16, 20, 28]];
  return Array.from({ length: count }, (_, index) => {
    const start = offset + index * entrySize;
    const [from = 0, address = 0, physical = 0, size = 0, memory = 0, alignment = 0] = places.map((place) =>
      bytes.word(start + place, what),
    );
    bytes.mustHold(from, size, `the segment at ${hex(address)}`);
    const [type, access] = [bytes.u32(start, what), bytes.u32(start + flags, what)];
    return { type, flags: access, offset: from, address, physical, size, memory, alignment };
  });
}

function readSections(bytes: ElfBytes, { offset, entrySize, count }: Table, names: number): Section[] {
  const what = 'the section headers';
  bytes.mustHold(offset, entrySize * count, what);
  const places = bytes.is64 ? [8, 16, 24, 32, 48, 56] : [8, 12, 16, 20, 32, 36];
  const link = bytes.is64 ? 40 : 24;
  const rows = Array.from({ length: count }, (_, index) => {
    const start = offset + index * entrySize;
    const [flags = 0, address = 0, from = 0, size = 0, alignment = 0, each = 0] = places.map((place) =>
      bytes.word(start + place, what),
    );
    const [name, type] = [bytes.u32(start, what), bytes.u32(start + 4, what)];
    const [linked, info] = [bytes.u32(start + link, what), bytes.u32(start + link + 4, what)];
    return { name, type, flags, address, offset: from, size, link: linked, info, alignment, entrySize: each };
  });
  const strings = rows[names];
  return rows.map((row) => {
    const name = strings === undefined ? '' : bytes.text(strings.offset + row.name, 'a section name');
    if (row.type !== SHT.NOBITS && row.type !== 0) bytes.mustHold(row.offset, row.size, `the section ${name}`);
    return { ...row, name };
  });
}

function dynamicEntries(bytes: ElfBytes, segments: readonly Segment[]): DynamicEntry[] {
  const segment = segments.find(({ type }) => type === PT.DYNAMIC);
  if (segment === undefined) return [];
  const size = bytes.is64 ? 8 : 4;
  const entries: DynamicEntry[] = [];
  for (let at = segment.offset; at + 2 * size <= segment.offset + segment.size; at += 2 * size) {
    const tag = bytes.word(at, 'the dynamic section');
    if (tag === DT.NULL) break;
    entries.push({ tag, value: bytes.word(at + size, 'the dynamic section') });
  }
  return entries;
}

function readNotes(bytes: ElfBytes, segment: Segment): Note[] {
  const notes: Note[] = [];
  const end = segment.offset + segment.size;
  for (let at = segment.offset; at + 12 <= end; ) {
    const nameSize = bytes.u32(at, 'a note');
    const descSize = bytes.u32(at + 4, 'a note');
    const desc = at + 12 + align4(nameSize);
    notes.push({ name: bytes.text(at + 12, "a note's name"), desc: bytes.slice(desc, descSize, 'a note') });
    at = desc + align4(descSize);
  }
  return notes;
}

/** Without a PT_GNU_STACK segment the stack is executable on most architectures. */
function writableCode(segments: readonly Segment[]): string[] {
  const stack = segments.find((segment) => segment.type === PT.GNU_STACK);
  const both = PF.W | PF.X;
  const loaded = segments.filter(({ type, flags }) => type === PT.LOAD && (flags & both) === both);
  return [
    ...(stack === undefined || (stack.flags & PF.X) !== 0 ? ['the stack'] : []),
    ...loaded.map(({ address }) => `the segment at ${hex(address)}`),
  ];
}

/** By arithmetic: bit operations make sizes of 2 GiB negative. */
function align4(size: number): number {
  return Math.ceil(size / 4) * 4;
}

/**
 * Reads an ELF file, so that `verify` depends on the output of no tool: header, interpreter, needed libraries, required
 * symbol versions, notes. Pure functions over bytes; little-endian files of both classes.
 * Source: System V ABI, chapters 4 and 5 (gabi); GNU symbol versioning (LSB, 10.7).
 */
import { Failure } from '../support/errors.ts';

export interface Elf {
  readonly class: 32 | 64;
  /** As architectures.ts names it; the number of any other. */
  readonly machine: string;
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

export interface Note {
  readonly name: string;
  readonly desc: Buffer;
}

export function readElf(file: Buffer): Elf {
  const reader = new Reader(file);
  const segments = reader.segments();
  const interpreter = segments.find((segment) => segment.type === PT.INTERP);
  return {
    class: reader.is64 ? 64 : 32,
    machine: machineNames.get(file.readUInt16LE(18)) ?? String(file.readUInt16LE(18)),
    interpreter: interpreter === undefined ? null : reader.textAt(interpreter.offset),
    ...reader.dynamic(segments),
    hasSymbolTable: reader.hasSection(SHT.SYMTAB),
    writableCode: writableCode(segments),
    notes: segments.filter((segment) => segment.type === PT.NOTE).flatMap((segment) => reader.notes(segment)),
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

const machineNames: ReadonlyMap<number, string> = new Map(
  Object.entries(machineNumbers).map(([name, number]) => [number, name]),
);
const PT = { LOAD: 1, DYNAMIC: 2, INTERP: 3, NOTE: 4, GNU_STACK: 0x6474e551 } as const;
const PF = { X: 1, W: 2 } as const;
const SHT = { SYMTAB: 2 } as const;
const DT = { NULL: 0, NEEDED: 1, STRTAB: 5, VERNEED: 0x6ffffffe, VERNEEDNUM: 0x6fffffff } as const;

interface Segment {
  type: number;
  offset: number;
  address: number;
  size: number;
  flags: number;
}

class Reader {
  readonly is64: boolean;
  private readonly file: Buffer;

  constructor(file: Buffer) {
    if (file.length < 52 || file.readUInt32BE(0) !== 0x7f454c46) throw new Failure('not an ELF file');
    if (file[5] !== 1) throw new Failure('the ELF file must be little-endian');
    if (file[4] !== 1 && file[4] !== 2) throw new Failure(`ELF class must be 1 or 2, got ${file[4]}`);
    this.file = file;
    this.is64 = file[4] === 2;
  }

  segments(): Segment[] {
    const start = this.word(this.is64 ? 32 : 28);
    const size = this.file.readUInt16LE(this.is64 ? 54 : 42);
    const count = this.file.readUInt16LE(this.is64 ? 56 : 44);
    return Array.from({ length: count }, (_, index) => {
      const at = start + index * size;
      const type = this.file.readUInt32LE(at);
      return this.is64
        ? {
            type,
            flags: this.file.readUInt32LE(at + 4),
            offset: this.word(at + 8),
            address: this.word(at + 16),
            size: this.word(at + 32),
          }
        : {
            type,
            flags: this.file.readUInt32LE(at + 24),
            offset: this.word(at + 4),
            address: this.word(at + 8),
            size: this.word(at + 16),
          };
    });
  }

  hasSection(type: number): boolean {
    const start = this.word(this.is64 ? 40 : 32);
    const size = this.file.readUInt16LE(this.is64 ? 58 : 46);
    const count = this.file.readUInt16LE(this.is64 ? 60 : 48);
    if (start === 0) return false;
    return Array.from({ length: count }, (_, index) => this.file.readUInt32LE(start + index * size + 4)).includes(type);
  }

  dynamic(segments: readonly Segment[]): { needed: string[]; versionsRequired: string[] } {
    const segment = segments.find((candidate) => candidate.type === PT.DYNAMIC);
    if (segment === undefined) return { needed: [], versionsRequired: [] };
    const entries = this.dynamicEntries(segment);
    const value = (tag: number): number | undefined => entries.find((entry) => entry.tag === tag)?.value;
    const strings = this.offsetOf(value(DT.STRTAB) ?? 0, segments);
    const needed = entries
      .filter((entry) => entry.tag === DT.NEEDED)
      .map((entry) => this.textAt(strings + entry.value));
    const verneed = value(DT.VERNEED);
    if (verneed === undefined) return { needed, versionsRequired: [] };
    const versions = this.versions(this.offsetOf(verneed, segments), value(DT.VERNEEDNUM) ?? 0, strings);
    return { needed, versionsRequired: versions };
  }

  notes(segment: Segment): Note[] {
    const notes: Note[] = [];
    const end = segment.offset + segment.size;
    for (let at = segment.offset; at + 12 <= end; ) {
      const nameSize = this.file.readUInt32LE(at);
      const descSize = this.file.readUInt32LE(at + 4);
      const desc = at + 12 + align4(nameSize);
      notes.push({ name: this.textAt(at + 12), desc: this.file.subarray(desc, desc + descSize) });
      at = desc + align4(descSize);
    }
    return notes;
  }

  textAt(offset: number): string {
    return this.file.toString('latin1', offset, this.file.indexOf(0, offset));
  }

  private versions(start: number, count: number, strings: number): string[] {
    const found: string[] = [];
    for (let at = start, left = count; left > 0; left--) {
      const auxCount = this.file.readUInt16LE(at + 2);
      let aux = at + this.file.readUInt32LE(at + 8);
      for (let i = 0; i < auxCount; i++) {
        found.push(this.textAt(strings + this.file.readUInt32LE(aux + 8)));
        aux += this.file.readUInt32LE(aux + 12);
      }
      at += this.file.readUInt32LE(at + 12);
    }
    return found;
  }

  private dynamicEntries(segment: Segment): { tag: number; value: number }[] {
    const size = this.is64 ? 8 : 4;
    const entries: { tag: number; value: number }[] = [];
    for (let at = segment.offset; at < segment.offset + segment.size; at += 2 * size) {
      const tag = this.word(at);
      if (tag === DT.NULL) break;
      entries.push({ tag, value: this.word(at + size) });
    }
    return entries;
  }

  /** Dynamic entries contain addresses; the file is read by offset. */
  private offsetOf(address: number, segments: readonly Segment[]): number {
    const segment = segments.find(
      ({ type, address: start, size }) => type === PT.LOAD && address >= start && address < start + size,
    );
    if (segment === undefined) throw new Failure(`no segment contains the address 0x${address.toString(16)}`);
    return address - segment.address + segment.offset;
  }

  /** An address, offset or size: 8 bytes in 64-bit files, 4 in 32-bit ones. */
  private word(at: number): number {
    return this.is64 ? Number(this.file.readBigUInt64LE(at)) : this.file.readUInt32LE(at);
  }
}

/** Without a PT_GNU_STACK segment the stack is executable on most architectures. */
function writableCode(segments: readonly Segment[]): string[] {
  const stack = segments.find((segment) => segment.type === PT.GNU_STACK);
  const both = PF.W | PF.X;
  const loaded = segments.filter(({ type, flags }) => type === PT.LOAD && (flags & both) === both);
  return [
    ...(stack === undefined || (stack.flags & PF.X) !== 0 ? ['the stack'] : []),
    ...loaded.map(({ address }) => `the segment at 0x${address.toString(16)}`),
  ];
}

function align4(size: number): number {
  return (size + 3) & ~3;
}

/**
 * The tables that a dynamic loader reads, by what they mean: postject writes them anew, with symbols and strings in another
 * order. Two files whose meanings are equal are loaded alike. Pure functions over bytes.
 * Source: System V ABI, chapter 5 (gabi); GNU symbol versioning (LSB, 10.7); `.gnu.hash` as glibc's dl-lookup.c reads it.
 */
import { Failure } from '../support/errors.ts';
import { DT, type Elf, elfBytes, hex, type RequiredVersion, requiredVersions, type Section } from './elf.ts';
import type { ElfBytes } from './elf-bytes.ts';

/** Each list is compared entry by entry; the first two are sorted, because their order means nothing. */
export interface Meaning {
  readonly symbols: readonly string[];
  readonly versions: readonly string[];
  readonly relocations: readonly string[];
  readonly dynamic: readonly string[];
  /** The offsets of strings' bytes that are not zero and that nothing refers to. */
  readonly leftovers: readonly number[];
}

/** sh_type of the tables that postject writes anew. */
const rewritten = {
  rela: 4,
  dynamic: 6,
  rel: 9,
  symbols: 11,
  hash: 0x6ffffff6,
  needed: 0x6ffffffe,
  versions: 0x6fffffff,
} as const;
const strtab = 3;
const alloc = 2;

/** In the file; of the pinned runtime, whose section headers can be trusted. */
export function rewrittenSections(elf: Elf): Section[] {
  const types: readonly number[] = Object.values(rewritten);
  return elf.sections.filter(({ type, flags }) => (flags & alloc) !== 0 && (types.includes(type) || type === strtab));
}

/** `sections` are those of the pinned runtime: both files have their tables in the same places. */
export function meaningOf(file: Buffer, elf: Elf, sections: readonly Section[]): Meaning {
  const bytes = elfBytes(file);
  const of = (type: number): Section | undefined => sections.find((section) => section.type === type);
  const [symbolTable, versionTable, strings] = [of(rewritten.symbols), of(rewritten.versions), of(strtab)];
  if (symbolTable === undefined || versionTable === undefined || strings === undefined) {
    throw new Failure('a dynamic executable must have the sections of symbols, versions and strings, it has not');
  }
  const used = new UsedStrings(bytes, strings);
  const required = requiredVersions(bytes, elf.segments, elf.dynamic);
  const symbols = readSymbols(bytes, symbolTable, versionTable, used, required);
  const relocations = [...sections]
    .filter(({ type }) => type === rewritten.rel || type === rewritten.rela)
    .flatMap((section) => readRelocations(bytes, section, symbols));
  const textTags: readonly number[] = [DT.NEEDED, DT.SONAME, DT.RPATH, DT.RUNPATH];
  const dynamic = elf.dynamic.map(
    ({ tag, value }) => `${hex(tag)} ${textTags.includes(tag) ? used.text(value) : hex(value)}`,
  );
  const versions = required
    .map(({ library, name, hash, flags }) => `${used.text(name)} (${hex(hash)}, ${flags}) of ${used.text(library)}`)
    .sort();
  const hash = of(rewritten.hash);
  if (hash !== undefined) checkHash(bytes, hash, symbols);
  return {
    symbols: symbols.map(({ text }) => text).sort(),
    versions,
    relocations,
    dynamic,
    leftovers: used.leftovers(),
  };
}

interface DynamicSymbol {
  readonly name: string;
  readonly text: string;
}

/** The dynamic strings, and which of their bytes something refers to. */
class UsedStrings {
  private readonly bytes: ElfBytes;
  private readonly section: Section;
  private readonly isUsed: Uint8Array;

  constructor(bytes: ElfBytes, section: Section) {
    this.bytes = bytes;
    this.section = section;
    this.isUsed = new Uint8Array(section.size);
  }

  text(offset: number): string {
    const text = this.bytes.text(this.section.offset + offset, 'a dynamic string');
    this.isUsed.fill(1, offset, offset + text.length);
    return text;
  }

  leftovers(): number[] {
    const { offset, size, name } = this.section;
    const strings = this.bytes.slice(offset, size, name);
    return [...strings.keys()].filter((at) => strings[at] !== 0 && this.isUsed[at] === 0).map((at) => offset + at);
  }
}

function readSymbols(
  bytes: ElfBytes,
  table: Section,
  versionTable: Section,
  strings: UsedStrings,
  required: readonly RequiredVersion[],
): DynamicSymbol[] {
  const size = bytes.is64 ? 24 : 16;
  const [info, place, value, extent] = bytes.is64 ? [4, 6, 8, 16] : [12, 14, 4, 8];
  return Array.from({ length: table.size / size }, (_, index) => {
    const at = table.offset + index * size;
    const name = strings.text(bytes.u32(at, 'a dynamic symbol'));
    const where = bytes.u16(at + place, 'a dynamic symbol');
    const number = bytes.u16(versionTable.offset + 2 * index, "a symbol's version");
    const version = required.find((one) => one.index === (number & 0x7fff));
    const words = [
      name,
      version === undefined ? number : `${strings.text(version.name)} of ${strings.text(version.library)}`,
      hex(bytes.u16(at + info, 'a dynamic symbol')),
      where,
      hex(bytes.word(at + value, 'a dynamic symbol')),
      bytes.word(at + extent, 'a dynamic symbol'),
    ];
    return { name, text: words.join(' ') };
  });
}

function readRelocations(bytes: ElfBytes, table: Section, symbols: readonly DynamicSymbol[]): string[] {
  const word = bytes.is64 ? 8 : 4;
  const size = (table.type === rewritten.rela ? 3 : 2) * word;
  return Array.from({ length: table.size / size }, (_, index) => {
    const at = table.offset + index * size;
    const symbol = bytes.is64 ? bytes.u32(at + 12, 'a relocation') : bytes.u32(at + 4, 'a relocation') >>> 8;
    const type = bytes.u32(at + word, 'a relocation') & (bytes.is64 ? 0xffffffff : 0xff);
    const addend = size === 3 * word ? hex(bytes.word(at + 2 * word, 'a relocation')) : '';
    const name = symbols[symbol]?.text ?? `symbol ${symbol}`;
    return `${hex(bytes.word(at, 'a relocation'))} ${type} ${addend} ${name}`;
  });
}

/** Every word of the table follows from the order of the symbols. */
function checkHash(bytes: ElfBytes, section: Section, symbols: readonly DynamicSymbol[]): void {
  const what = 'the hash table of symbols';
  const word = bytes.is64 ? 8 : 4;
  const header = [0, 4, 8, 12].map((at) => bytes.u32(section.offset + at, what));
  const [buckets = 0, first = 0, filters = 0, shift = 0] = header;
  const hashes = symbols.slice(first).map(({ name }) => gnuHash(name));
  const wrong = (rule: string): Failure => new Failure(`${what} must ${rule}, it does not`);
  if (buckets === 0 || filters === 0) throw wrong('have buckets');
  const filterBits = new Map<number, bigint>();
  for (const hash of hashes) {
    const index = Math.floor(hash / (8 * word)) % filters;
    const bits = (1n << BigInt(hash % (8 * word))) | (1n << BigInt((hash >>> shift) % (8 * word)));
    filterBits.set(index, (filterBits.get(index) ?? 0n) | bits);
  }
  let at = section.offset + 16;
  for (let i = 0; i < filters; i++, at += word) {
    const wanted = filterBits.get(i) ?? 0n;
    const low = bytes.u32(at, what);
    const high = bytes.is64 ? bytes.u32(at + 4, what) : 0;
    if ((BigInt(high) << 32n) + BigInt(low) !== wanted) throw wrong(`have the filter ${i} of its symbols`);
  }
  for (let i = 0; i < buckets; i++, at += 4) {
    const index = hashes.findIndex((hash) => hash % buckets === i);
    if (bytes.u32(at, what) !== (index < 0 ? 0 : first + index)) throw wrong(`have the bucket ${i} of its symbols`);
  }
  for (const [i, hash] of hashes.entries()) {
    const next = hashes[i + 1];
    const isLast = next === undefined || next % buckets !== hash % buckets;
    const wanted = ((hash & ~1) | (isLast ? 1 : 0)) >>> 0;
    if (bytes.u32(at + 4 * i, what) !== wanted) throw wrong(`find ${symbols[first + i]?.name}`);
  }
}

function gnuHash(name: string): number {
  let hash = 5381;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 33) + name.charCodeAt(i)) >>> 0;
  return hash;
}

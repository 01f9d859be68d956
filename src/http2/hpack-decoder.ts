/**
 * Reads header sections of HTTP/2 (RFC 7541). Owns the dynamic table of one direction of one connection, so every section must be
 * read in turn, even one that is not used.
 */
import type { Buffer } from 'node:buffer';
import { readLatin1 } from '../http/latin1.ts';
import { ENTRY_OVERHEAD, STATIC_TABLE, TABLE_SIZE } from './hpack-table.ts';
import { decodeHuffman } from './huffman.ts';

/** One field, as it can be referred to. */
class Entry {
  readonly name: string;
  readonly value: string;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
  }
}

const STATIC: readonly Entry[] = STATIC_TABLE.map(([name, value]) => new Entry(name, value));
/** An entry takes 32 bytes at least; a power of two. */
const CAPACITY = 128;
/** More than the largest integer that makes sense anywhere here. */
const MAX_INTEGER = 0x0fffffff;

export interface SectionLimits {
  /** Names, values and 32 bytes for each field (RFC 9113 §6.5.2). */
  readonly maxSize: number;
  readonly maxCount: number;
}

export class HpackDecoder {
  /** Names and values in turn, of the section that was read last. */
  fields: string[] = [];
  /** It was more than the limits allow: the rest was read, and not kept. */
  isTooLarge = false;
  readonly #limits: SectionLimits;
  /** A ring: the newest entry is at #newest. */
  readonly #entries: Entry[] = [];
  #newest = CAPACITY - 1;
  #count = 0;
  #size = 0;
  #maxSize = TABLE_SIZE;
  // Of the section being read.
  #bytes: Buffer | null = null;
  #at = 0;
  #end = 0;
  #sectionSize = 0;

  constructor(limits: SectionLimits) {
    this.#limits = limits;
  }

  /** Reads bytes[start, end), a whole section. False: nothing on this connection can be read any more (COMPRESSION_ERROR). */
  read(bytes: Buffer, start: number, end: number): boolean {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#sectionSize = 0;
    this.fields = [];
    this.isTooLarge = false;
    const isRead = this.#readSizes() && this.#readFields();
    this.#bytes = null;
    return isRead;
  }

  /** RFC 7541 §4.2: changes of the table's size come first. */
  #readSizes(): boolean {
    while (this.#at < this.#end && (this.#byte(this.#at) & 0xe0) === 0x20) {
      const size = this.#integer(0x1f);
      if (size < 0 || size > TABLE_SIZE) return false;
      this.#maxSize = size;
      this.#evict(0);
    }
    return true;
  }

  #readFields(): boolean {
    while (this.#at < this.#end) {
      const first = this.#byte(this.#at);
      if (first >= 0x80) {
        const entry = this.#entryAt(this.#integer(0x7f));
        if (entry === null) return false;
        this.#take(entry.name, entry.value);
        continue;
      }
      const isIndexed = first >= 0x40;
      // A size that comes late.
      if (!isIndexed && first >= 0x20) return false;
      const index = this.#integer(isIndexed ? 0x3f : 0x0f);
      const name = index === 0 ? this.#text() : (this.#entryAt(index)?.name ?? null);
      const value = name === null ? null : this.#text();
      if (name === null || value === null) return false;
      this.#take(name, value);
      if (isIndexed) this.#add(new Entry(name, value));
    }
    return true;
  }

  #take(name: string, value: string): void {
    this.#sectionSize += name.length + value.length + ENTRY_OVERHEAD;
    const { maxSize, maxCount } = this.#limits;
    if (this.#sectionSize > maxSize || this.fields.length >= 2 * maxCount) this.isTooLarge = true;
    else this.fields.push(name, value);
  }

  #entryAt(index: number): Entry | null {
    if (index <= 0) return null;
    if (index <= STATIC.length) return STATIC[index - 1] as Entry;
    const age = index - STATIC.length - 1;
    if (age >= this.#count) return null;
    return this.#entries[(this.#newest - age) & (CAPACITY - 1)] as Entry;
  }

  #add(entry: Entry): void {
    const size = entry.name.length + entry.value.length + ENTRY_OVERHEAD;
    this.#evict(size);
    if (size > this.#maxSize) return;
    this.#newest = (this.#newest + 1) & (CAPACITY - 1);
    this.#entries[this.#newest] = entry;
    this.#count++;
    this.#size += size;
  }

  /** Makes room for `wanted` bytes (RFC 7541 §4.3, §4.4). */
  #evict(wanted: number): void {
    while (this.#count > 0 && this.#size + wanted > this.#maxSize) {
      const { name, value } = this.#entries[(this.#newest - this.#count + 1) & (CAPACITY - 1)] as Entry;
      this.#size -= name.length + value.length + ENTRY_OVERHEAD;
      this.#count--;
    }
  }

  /** RFC 7541 §5.1; -1: there is none. */
  #integer(mask: number): number {
    let value = this.#byte(this.#at++) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= this.#end) return -1;
      const byte = this.#byte(this.#at++);
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value <= MAX_INTEGER ? value : -1;
    }
    return -1;
  }

  /** RFC 7541 §5.2; null: there is none. */
  #text(): string | null {
    if (this.#at >= this.#end) return null;
    const isCoded = this.#byte(this.#at) >= 0x80;
    const length = this.#integer(0x7f);
    const start = this.#at;
    if (length < 0 || length > this.#end - start) return null;
    this.#at = start + length;
    const bytes = this.#bytes as Buffer;
    return isCoded ? decodeHuffman(bytes, start, this.#at) : readLatin1(bytes, start, this.#at);
  }

  #byte(at: number): number {
    return (this.#bytes as Buffer)[at] as number;
  }
}

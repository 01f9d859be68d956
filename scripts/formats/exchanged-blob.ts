/**
 * What postject makes of one blob, from what it has made of another one: only the note at the end and the fields that hold its size
 * differ, and injecting takes seconds. `verify` accounts for every byte of the result, and test/packaged/blob.test.ts compares it
 * with postject's.
 */
import { type Elf, PT, readElf, type Segment } from './elf.ts';
import { noteName } from './sea-blob.ts';

/** `injected` is a runtime with any blob; the result has this one. */
export function withBlob(injected: Buffer, blob: Buffer): Buffer {
  const elf = readElf(injected);
  const { notes, load, section } = partsOf(elf, injected.length);
  const kept = injected.subarray(notes.offset, section.offset);
  const size = kept.length + noteLength(blob);
  const room = Math.ceil(size / unit) * unit;
  const file = Buffer.alloc(load.offset + room + elf.sectionTable.entrySize * elf.sectionTable.count);
  injected.copy(file, 0, 0, section.offset);
  writeNote(file, section.offset, blob);
  injected.copy(file, load.offset + room, elf.sectionTable.offset);
  const word = (value: number, at: number): void => {
    if (elf.class === 64) file.writeBigUInt64LE(BigInt(value), at);
    else file.writeUInt32LE(value, at);
  };
  const fields = elf.class === 64 ? fields64 : fields32;
  word(load.offset + room, fields.sectionTable);
  for (const [segment, length] of [
    [load, room],
    [notes, size],
  ] as const) {
    const at = elf.segmentTable.offset + elf.segments.indexOf(segment) * elf.segmentTable.entrySize;
    word(length, at + fields.size);
    word(length, at + fields.memory);
  }
  const last = load.offset + room + (elf.sectionTable.count - 1) * elf.sectionTable.entrySize;
  word(noteLength(blob), last + fields.sectionSize);
  return file;
}

/** Where the blob's segment begins: up to there, all products of a runtime are the same but for their headers. */
export function endOfRuntime(injected: Buffer): number {
  return partsOf(readElf(injected), injected.length).load.offset;
}

/** postject's segment is the last in the file, with nothing behind it but the table of sections; anything else is not what it makes. */
function partsOf(elf: Elf, length: number): { notes: Segment; load: Segment; section: { offset: number } } {
  const notes = elf.segments.find(({ type }) => type === PT.NOTE);
  const load = elf.segments.find(({ type, offset }) => type === PT.LOAD && offset === notes?.offset);
  const section = elf.sections.at(-1);
  const { offset, entrySize, count } = elf.sectionTable;
  if (notes === undefined || load === undefined || section === undefined)
    throw new TypeError('postject must have put notes and a section into a segment of their own');
  const isLast = offset === load.offset + load.size && length === offset + entrySize * count;
  if (!isLast || section.offset + section.size !== notes.offset + notes.size)
    throw new TypeError('postject must have put the blob at the end of the file');
  return { notes, load, section };
}

function noteLength(blob: Buffer): number {
  return headerLength + nameLength + Math.ceil(blob.length / 4) * 4;
}

/** A note of type 0: lengths of its name and its content, then both, each to a multiple of 4 (gabi, "Note Section"). */
function writeNote(file: Buffer, at: number, blob: Buffer): void {
  file.writeUInt32LE(noteName.length + 1, at);
  file.writeUInt32LE(blob.length, at + 4);
  file.write(noteName, at + headerLength, 'latin1');
  blob.copy(file, at + headerLength + nameLength);
}

const headerLength = 12;
const nameLength = Math.ceil((noteName.length + 1) / 4) * 4;
/** LIEF rounds new segments up to it. */
const unit = 0x10000;

/** Offsets: e_shoff; p_filesz, p_memsz; sh_size. */
const fields64 = { sectionTable: 40, size: 32, memory: 40, sectionSize: 32 } as const;
const fields32 = { sectionTable: 32, size: 16, memory: 20, sectionSize: 20 } as const;

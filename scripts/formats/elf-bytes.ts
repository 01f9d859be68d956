/** Reads numbers and text of an ELF file by offset; what lies outside the file is a Failure that names it. */
import { Failure } from '../support/errors.ts';

export class ElfBytes {
  readonly is64: boolean;
  private readonly file: Buffer;

  constructor(file: Buffer, is64: boolean) {
    this.file = file;
    this.is64 = is64;
  }

  u16(at: number, what: string): number {
    this.mustHold(at, 2, what);
    return this.file.readUInt16LE(at);
  }

  u32(at: number, what: string): number {
    this.mustHold(at, 4, what);
    return this.file.readUInt32LE(at);
  }

  /** An address, offset or size: 8 bytes in 64-bit files, 4 in 32-bit ones. */
  word(at: number, what: string): number {
    if (!this.is64) return this.u32(at, what);
    this.mustHold(at, 8, what);
    return Number(this.file.readBigUInt64LE(at));
  }

  /** Up to its NUL. */
  text(at: number, what: string): string {
    this.mustHold(at, 1, what);
    const end = this.file.indexOf(0, at);
    if (end < 0) throw new Failure(`the ELF file ends at byte ${this.file.length}, inside ${what} at byte ${at}`);
    return this.file.toString('latin1', at, end);
  }

  slice(at: number, length: number, what: string): Buffer {
    this.mustHold(at, length, what);
    return this.file.subarray(at, at + length);
  }

  mustHold(at: number, length: number, what: string): void {
    if (at + length <= this.file.length) return;
    throw new Failure(
      `the ELF file must hold ${what} at bytes ${at} to ${at + length}, it has ${this.file.length} bytes`,
    );
  }
}

/** The "new ASCII" cpio format, as RPM's payload has it: cpio(5). Pure functions: files in, bytes out. */

export interface CpioEntry {
  readonly name: string;
  /** With the type: 0o100644, 0o040755. */
  readonly mode: number;
  readonly data: Uint8Array;
}

/** `time` in seconds since 1970; inodes are counted from 1. */
export function cpioParts(entries: readonly CpioEntry[], time: number): Uint8Array[] {
  const all = [...entries, { name: 'TRAILER!!!', mode: 0, data: new Uint8Array() }];
  return all.flatMap(({ name, mode, data }, index) => {
    const isLast = index === entries.length;
    const length = Buffer.byteLength(name) + 1;
    const fields = [isLast ? 0 : index + 1, mode, 0, 0, 1, isLast ? 0 : time, data.length, 0, 0, 0, 0, length, 0];
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
    return [Buffer.from(head), Buffer.alloc(-Buffer.byteLength(head) & 3), data, Buffer.alloc(-data.length & 3)];
  });
}

/** Writes small ELF files of 64 bits for x86_64, sound or with a planted fault. */

export interface Planted {
  readonly type?: number;
  readonly flags?: number;
  readonly entry?: number;
  /** Dynamic entries; a text is put among the dynamic strings. Without any the file is static. */
  readonly dynamic?: readonly (readonly [tag: number, value: number | string])[];
  /** Required of libc.so.6. */
  readonly versions?: readonly string[];
  readonly interpreter?: string;
  readonly sections?: readonly string[];
  /** Program headers of no content: type and flags. */
  readonly segments?: readonly (readonly [type: number, flags: number])[];
}

export function elfFile(planted: Planted = {}): Buffer {
  const { dynamic, versions = [], interpreter, sections = [], segments = [[0x6474e551, 6]] } = planted;
  const file = Buffer.alloc(4096);
  let end = 1024;
  const place = (bytes: Buffer): number => {
    const at = end;
    bytes.copy(file, at);
    end = Math.ceil((end + bytes.length) / 8) * 8;
    return at;
  };
  let strings = '\0';
  const string = (text: string): number => {
    strings += `${text}\0`;
    return strings.length - text.length - 1;
  };
  const headers: number[][] = [[1, 5, 0, base, base, 4096, 4096, 4096]];
  if (interpreter !== undefined) {
    const at = place(Buffer.from(`${interpreter}\0`));
    headers.push([3, 4, at, base + at, base + at, interpreter.length + 1, interpreter.length + 1, 1]);
  }
  if (dynamic !== undefined) {
    const entries = dynamic.map(([tag, value]) => [tag, typeof value === 'string' ? string(value) : value]);
    if (versions.length > 0) {
      const need = [u16(1), u16(versions.length), u32(string('libc.so.6')), u32(16), u32(0)];
      const each = versions.flatMap((name, index) => [
        u32(0),
        u16(0),
        u16(index + 2),
        u32(string(name)),
        u32(index + 1 === versions.length ? 0 : 16),
      ]);
      entries.push([0x6ffffffe, base + place(Buffer.concat([...need, ...each]))], [0x6fffffff, 1]);
    }
    entries.push([5, base + place(Buffer.from(strings, 'latin1'))], [0, 0]);
    const bytes = Buffer.concat(entries.flat().map((word) => u64(word ?? 0)));
    const at = place(bytes);
    headers.push([2, 6, at, base + at, base + at, bytes.length, bytes.length, 8]);
  }
  headers.push(...segments.map(([type, flags]) => [type, flags, 0, 0, 0, 0, 0, 8]));
  let names = '\0';
  const rows = ['', ...sections, '.shstrtab'].map((name) => {
    const at = name === '' ? 0 : names.length;
    if (name !== '') names += `${name}\0`;
    return [at, name === '.shstrtab' ? 3 : name === '' ? 0 : 1];
  });
  const namesAt = place(Buffer.from(names, 'latin1'));
  const table = rows.map(([name = 0, type = 0]) =>
    Buffer.concat([u32(name), u32(type), u64(0), u64(0), u64(type === 3 ? namesAt : 0), ...[0, 0, 0, 0].map(u64)]),
  );
  const tableAt = place(Buffer.concat(table));
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  Buffer.concat([u16(planted.type ?? 2), u16(62), u32(1), u64(planted.entry ?? base + 512)]).copy(file, 16);
  Buffer.concat([u64(64), u64(tableAt), u32(planted.flags ?? 0), u16(64), u16(56), u16(headers.length)]).copy(file, 32);
  Buffer.concat([u16(64), u16(rows.length), u16(rows.length - 1)]).copy(file, 58);
  Buffer.concat(
    headers.map(([type = 0, flags = 0, ...rest]) => Buffer.concat([u32(type), u32(flags), ...rest.map(u64)])),
  ).copy(file, 64);
  return file;
}

const base = 0x10000;

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

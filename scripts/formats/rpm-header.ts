/**
 * RPM's header structure: an index of typed tags and the store that it points into, closed by a region tag. Source: "RPM
 * Package File Structure", https://rpm.org/docs/latest/manual/format_v4.html. Pure.
 */

const Type = { int16: 3, int32: 4, text: 6, bytes: 7, texts: 8, translated: 9 } as const;

export type Value =
  | { readonly type: 'int16' | 'int32'; readonly values: readonly number[] }
  | { readonly type: 'text' | 'translated'; readonly value: string }
  | { readonly type: 'texts'; readonly values: readonly string[] }
  | { readonly type: 'bytes'; readonly value: Uint8Array };

export const int16 = (...values: number[]): Value => ({ type: 'int16', values });
export const int32 = (...values: number[]): Value => ({ type: 'int32', values });
export const text = (value: string): Value => ({ type: 'text', value });
export const texts = (...values: string[]): Value => ({ type: 'texts', values });
export const translated = (value: string): Value => ({ type: 'translated', value });
export const bytes = (value: Uint8Array): Value => ({ type: 'bytes', value });

/** `region` is 63 for a header and 62 for a signature. Tags without values are left out. */
export function rpmHeader(region: 62 | 63, tags: Readonly<Record<number, Value>>): Buffer {
  const rows = Object.entries(tags)
    .map(([tag, value]) => ({ tag: Number(tag), ...encode(value), align: alignmentOf(value) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.tag - b.tag);
  const index: Buffer[] = [];
  const store: Buffer[] = [];
  let offset = 0;
  for (const { tag, type, count, data, align } of rows) {
    const gap = -offset & (align - 1);
    store.push(Buffer.alloc(gap), data);
    offset += gap;
    index.push(entry(tag, type, offset, count));
    offset += data.length;
  }
  // The region covers the whole index: its own data is an entry that points back to the start, and stands last in the store.
  const trailer = entry(region, Type.bytes, -16 * (rows.length + 1), 16);
  const head = entry(region, Type.bytes, offset, 16);
  const intro = Buffer.alloc(16);
  intro.writeUInt32BE(0x8eade801, 0);
  intro.writeUInt32BE(rows.length + 1, 8);
  intro.writeUInt32BE(offset + 16, 12);
  return Buffer.concat([intro, head, ...index, ...store, trailer]);
}

function entry(tag: number, type: number, offset: number, count: number): Buffer {
  const row = Buffer.alloc(16);
  for (const [at, field] of [tag, type, offset, count].entries()) row.writeInt32BE(field, 4 * at);
  return row;
}

function alignmentOf({ type }: Value): 1 | 2 | 4 {
  if (type === 'int32') return 4;
  return type === 'int16' ? 2 : 1;
}

function encode(value: Value): { type: number; count: number; data: Buffer } {
  switch (value.type) {
    case 'int16':
    case 'int32': {
      const width = value.type === 'int16' ? 2 : 4;
      const data = Buffer.alloc(width * value.values.length);
      for (const [at, number] of value.values.entries()) data.writeUIntBE(number, width * at, width);
      return { type: Type[value.type], count: value.values.length, data };
    }
    case 'text':
    case 'translated':
      return { type: Type[value.type], count: 1, data: Buffer.from(`${value.value}\0`) };
    case 'texts':
      return {
        type: Type.texts,
        count: value.values.length,
        data: Buffer.from(value.values.map((each) => `${each}\0`).join('')),
      };
    case 'bytes':
      return { type: Type.bytes, count: value.value.length, data: Buffer.from(value.value) };
  }
}

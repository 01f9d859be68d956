/**
 * The pack of a program's files: an index, then their bytes, one after the other. It lies in the executable as one asset, is
 * mapped with it, and is never unpacked.
 */

/** Where its bytes are, how many, and whether its syntax makes it an ES module though no package.json says so. */
export type PackedFile = readonly [offset: number, size: number, isModule?: 1];

export interface PackIndex {
  /** The folder that the program finds itself in; every path here starts with it. */
  readonly root: string;
  readonly main: string;
  /** Seconds since 1970: the time of every file. */
  readonly time: number;
  /** Source maps are read when a stack is shown. */
  readonly hasSourceMaps: boolean;
  /** Files by name, by folder. */
  readonly folders: Readonly<Record<string, Readonly<Record<string, PackedFile>>>>;
  /** Folders that are links to others, as package managers make them. */
  readonly links: Readonly<Record<string, string>>;
  /** What Node's rules would not find: specifiers by the importing file, such as paths of a tsconfig.json. */
  readonly aliases: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface NewFile {
  readonly path: string;
  readonly data: Buffer;
  readonly isModule: boolean;
}

/** The same files in any order make the same bytes. */
export function writePack(head: Omit<PackIndex, 'folders'>, files: readonly NewFile[]): Buffer {
  const folders: Record<string, Record<string, PackedFile>> = {};
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  let offset = 0;
  for (const { path, data, isModule } of sorted) {
    const slash = path.lastIndexOf('/');
    folders[path.slice(0, slash)] ??= {};
    const names = folders[path.slice(0, slash)] as Record<string, PackedFile>;
    names[path.slice(slash + 1)] = isModule ? [offset, data.length, 1] : [offset, data.length];
    offset += data.length;
  }
  const index = Buffer.from(JSON.stringify({ ...head, folders } satisfies PackIndex));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(index.length);
  return Buffer.concat([length, index, ...sorted.map(({ data }) => data)]);
}

export function readPack(pack: Buffer): { index: PackIndex; data: Buffer } {
  const end = 4 + pack.readUInt32LE(0);
  return { index: JSON.parse(pack.toString('utf8', 4, end)) as PackIndex, data: pack.subarray(end) };
}

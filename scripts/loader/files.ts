/** The program's files, by the paths under which it finds them. Read only. */
import { fileURLToPath } from 'node:url';
import { type PackedFile, type PackIndex, readPack } from '../formats/pack.ts';

export class Files {
  readonly index: PackIndex;
  /** Where relative paths begin, if the program has gone into a packed folder. */
  workingFolder: string | undefined = undefined;
  private readonly data: Buffer;
  private readonly prefix: string;
  /** Names in each folder; made when somebody lists one. */
  private listed: Map<string, string[]> | undefined;
  private readonly hasLinks: boolean;

  constructor(pack: Buffer) {
    const { index, data } = readPack(pack);
    this.index = index;
    this.data = data;
    this.prefix = `${index.root}/`;
    this.hasLinks = Object.keys(index.links).length > 0;
  }

  /** The path if it is inside, whether a file is there or not. Takes what functions of `node:fs` take. */
  inside(path: unknown): string | undefined {
    if (typeof path === 'string') return this.insideText(path);
    if (path instanceof URL) return path.protocol === 'file:' ? this.insideText(fileURLToPath(path)) : undefined;
    if (Buffer.isBuffer(path)) return this.insideText(path.toString());
    return undefined;
  }

  file(path: string): PackedFile | undefined {
    const slash = path.lastIndexOf('/');
    const names = this.index.folders[path.slice(0, slash)];
    const name = path.slice(slash + 1);
    return names !== undefined && Object.hasOwn(names, name) ? names[name] : undefined;
  }

  isFolder(path: string): boolean {
    return this.index.folders[path] !== undefined || this.names(path) !== undefined;
  }

  text(file: PackedFile): string {
    return this.data.toString('utf8', file[0], file[0] + file[1]);
  }

  /** The bytes themselves, which are mapped read-only: whoever gives them away copies them first. */
  bytes(file: PackedFile): Buffer {
    return this.data.subarray(file[0], file[0] + file[1]);
  }

  /** Sorted; undefined if there is no such folder. */
  names(folder: string): readonly string[] | undefined {
    this.listed ??= this.list();
    return this.listed.get(folder);
  }

  /** Without links. */
  real(path: string): string {
    if (!this.hasLinks) return path;
    for (let end = path.length; end > this.prefix.length; end = path.lastIndexOf('/', end - 1)) {
      const target = this.index.links[path.slice(0, end)];
      if (target !== undefined) return this.real(target + path.slice(end));
    }
    return path;
  }

  private insideText(text: string): string | undefined {
    if (this.workingFolder !== undefined && text !== '' && !text.startsWith('/'))
      return this.insideText(`${this.workingFolder}/${text}`);
    if (!text.startsWith(this.prefix) && text !== this.index.root) return undefined;
    const path = /\/\.|\/\/|\/$/.test(text) ? normalized(text) : text;
    return path.startsWith(this.prefix) || path === this.index.root ? this.real(path) : undefined;
  }

  private list(): Map<string, string[]> {
    const listed = new Map<string, Set<string>>([[this.index.root, new Set()]]);
    const add = (path: string): void => {
      const slash = path.lastIndexOf('/');
      const parent = path.slice(0, slash);
      let names = listed.get(parent);
      if (names === undefined) {
        names = new Set();
        listed.set(parent, names);
        if (parent.startsWith(this.prefix)) add(parent);
      }
      names.add(path.slice(slash + 1));
    };
    for (const [folder, names] of Object.entries(this.index.folders)) {
      for (const name of Object.keys(names)) add(`${folder}/${name}`);
    }
    for (const link of Object.keys(this.index.links)) add(link);
    return new Map([...listed].map(([folder, names]) => [folder, [...names].sort()]));
  }
}

/** As node:path does it, for an absolute path. */
function normalized(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

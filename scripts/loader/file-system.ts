/**
 * Puts the packed files into `node:fs`, for reading: every function looks whether its path is inside, and otherwise is Node's own.
 * Writing to a packed path fails as on any folder that does not exist. Owned: the table of open packed files.
 */
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail } from './errors.ts';
import type { Files } from './files.ts';
import { Folder } from './folder.ts';
import { statsOf } from './stats.ts';

type Callback = (error: Error | null, ...results: unknown[]) => void;
type Any = (...args: never[]) => unknown;
type Options = { encoding?: BufferEncoding | null | 'buffer'; bigint?: boolean; flag?: string } & Record<
  string,
  unknown
>;

interface OpenFile {
  readonly path: string;
  readonly bytes: Buffer;
  position: number;
}

/** uv_dirent_type_t of libuv. */
const direntFile = 1;
const direntFolder = 2;

/** Beyond what a kernel gives out. */
const firstDescriptor = 1 << 30;

export function addToFileSystem(files: Files): void {
  const open = new Map<number, OpenFile>();
  let next = firstDescriptor;

  const fileAt = (path: string, call: string): Buffer => {
    const file = files.file(path);
    if (file !== undefined) return files.bytes(file);
    return fail(files.isFolder(path) ? 'EISDIR' : 'ENOENT', call, path);
  };

  // Each takes the path inside, then what Node's function takes after the path.
  const reading = {
    readFile(path: string, options?: Options | BufferEncoding | null): string | Buffer {
      const { encoding } = optionsOf(options);
      const bytes = fileAt(path, 'open');
      return encoding && encoding !== 'buffer' ? bytes.toString(encoding) : Buffer.from(bytes);
    },
    stat(path: string, options?: Options): unknown {
      const stats = statsOf(files, path, options?.bigint === true);
      if (stats !== undefined || options?.['throwIfNoEntry'] === false) return stats;
      return fail('ENOENT', 'stat', path);
    },
    access(path: string, mode: number = fs.constants.F_OK): void {
      if (statsOf(files, path, false) === undefined) fail('ENOENT', 'access', path);
      if ((mode & fs.constants.W_OK) !== 0) fail('EROFS', 'access', path);
    },
    realpath(path: string): string {
      if (statsOf(files, path, false) === undefined) fail('ENOENT', 'realpath', path);
      return path;
    },
    readlink: (path: string): string => fail('EINVAL', 'readlink', path),
    readdir(path: string, options?: Options | BufferEncoding | null): unknown[] {
      const { withFileTypes, recursive } = optionsOf(options);
      const names = files.names(path) ?? fail(files.file(path) ? 'ENOTDIR' : 'ENOENT', 'scandir', path);
      const below = (folder: string, prefix: string): unknown[] =>
        (files.names(folder) ?? []).flatMap((name) => {
          const full = files.real(`${folder}/${name}`);
          const isFolder = files.file(full) === undefined;
          const type = isFolder ? direntFolder : direntFile;
          const entry = withFileTypes === true ? direntOf(name, folder, type) : prefix + name;
          return recursive === true && isFolder ? [entry, ...below(full, `${prefix}${name}/`)] : [entry];
        });
      return names.length === 0 ? [] : below(path, '');
    },
    open(path: string, flags: string | number = 'r'): number {
      const isReading = flags === 'r' || flags === 'rs' || (typeof flags === 'number' && (flags & 3) === 0);
      if (!isReading) fail('EROFS', 'open', path);
      const descriptor = next++;
      open.set(descriptor, { path, bytes: fileAt(path, 'open'), position: 0 });
      return descriptor;
    },
    copyFile(path: string, to: fs.PathLike): void {
      originals.writeFileSync(to, fileAt(path, 'copyfile'));
    },
    cp(path: string, to: string | URL, options?: Options): void {
      const target = typeof to === 'string' ? to : fileURLToPath(to);
      if (files.file(path) !== undefined) {
        if (options?.['force'] === false && originals.existsSync(target)) return;
        originals.mkdirSync(dirname(target), { recursive: true });
        reading.copyFile(path, target);
        return;
      }
      if (options?.['recursive'] !== true) fail('EISDIR', 'cp', path);
      originals.mkdirSync(target, { recursive: true });
      for (const name of reading.readdir(path) as string[])
        reading.cp(files.real(`${path}/${name}`), join(target, name), options);
    },
    opendir: (path: string): Folder => new Folder(path, reading.readdir(path, { withFileTypes: true }) as fs.Dirent[]),
  };
  const originals = { writeFileSync: fs.writeFileSync, mkdirSync: fs.mkdirSync, existsSync: fs.existsSync };

  const read = (file: OpenFile, buffer: ArrayBufferView, args: readonly unknown[]): number => {
    const [first, length, at] = typeof args[0] === 'object' && args[0] !== null ? fieldsOf(args[0]) : args;
    const offset = Number(first ?? 0);
    const start =
      typeof at === 'number' && at >= 0 ? at : typeof at === 'bigint' && at >= 0n ? Number(at) : file.position;
    const into = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    const end = start + Number(length ?? into.length - offset);
    const count =
      start >= file.bytes.length ? 0 : file.bytes.copy(into, offset, start, Math.min(end, file.bytes.length));
    if (start === file.position) file.position += count;
    return count;
  };

  const table = fs as unknown as Record<string, Any>;
  const promises = fs.promises as unknown as Record<string, Any>;
  const replace = (home: Record<string, Any>, name: string, make: (original: Any) => Any): void => {
    const original = home[name];
    if (original === undefined) return;
    const made = make(original);
    Object.defineProperty(made, 'name', { value: original.name });
    home[name] = made;
  };

  for (const [name, work] of Object.entries({ ...reading, lstat: reading.stat }) as [string, Any][]) {
    const inside = (args: unknown[]): unknown[] | undefined => {
      const path = files.inside(args[0]);
      return path === undefined ? undefined : [path, ...args.slice(1)];
    };
    const call = (args: unknown[]): unknown => work(...(args as never[]));
    replace(table, `${name}Sync`, (original) => (...args: unknown[]) => {
      const own = inside(args);
      return own === undefined ? original(...(args as never[])) : call(own);
    });
    replace(table, name, (original) => (...args: unknown[]) => {
      const own = inside(args);
      if (own === undefined) return original(...(args as never[]));
      const done = own.pop() as Callback;
      return later(done, () => call(own));
    });
    if (name === 'open') continue;
    replace(promises, name, (original) => async (...args: unknown[]) => {
      const own = inside(args);
      return own === undefined ? original(...(args as never[])) : call(own);
    });
  }
  keepNative(table['realpathSync'], table['realpath']);

  replace(table, 'existsSync', (original) => (path: unknown) => {
    const own = files.inside(path);
    return own === undefined ? original(path as never) : statsOf(files, own, false) !== undefined;
  });
  replace(table, 'exists', (original) => (path: unknown, done: (exists: boolean) => void) => {
    const own = files.inside(path);
    if (own === undefined) return original(path as never, done as never);
    return void process.nextTick(done, statsOf(files, own, false) !== undefined);
  });

  // Functions of descriptors.
  const ofDescriptor = (
    name: string,
    work: (file: OpenFile, args: unknown[], descriptor: number) => unknown[],
  ): void => {
    replace(table, `${name}Sync`, (original) => (...args: unknown[]) => {
      const file = open.get(args[0] as number);
      return file === undefined ? original(...(args as never[])) : work(file, args.slice(1), args[0] as number)[0];
    });
    replace(table, name, (original) => (...args: unknown[]) => {
      const file = open.get(args[0] as number);
      if (file === undefined) return original(...(args as never[]));
      const done = typeof args.at(-1) === 'function' ? (args.pop() as Callback) : () => undefined;
      return later(done, () => work(file, args.slice(1), args[0] as number), true);
    });
  };
  ofDescriptor('read', (file, [buffer, ...rest]) => {
    const into = ArrayBuffer.isView(buffer) ? buffer : ((buffer as { buffer: ArrayBufferView }).buffer as never);
    return [read(file, into, ArrayBuffer.isView(buffer) ? rest : [buffer]), into];
  });
  ofDescriptor('fstat', ({ path }, [options]) => [reading.stat(path, options as Options)]);
  ofDescriptor('close', (_file, _args, descriptor) => {
    open.delete(descriptor);
    return [undefined];
  });
  replace(table, 'readFileSync', (original) => (path: unknown, options: unknown) => {
    const file = open.get(path as number);
    return file === undefined
      ? original(path as never, options as never)
      : reading.readFile(file.path, options as Options);
  });

  replace(promises, 'open', (original) => async (...args: unknown[]) => {
    const path = files.inside(args[0]);
    if (path === undefined) return original(...(args as never[]));
    const descriptor = reading.open(path, args[1] as string);
    const file = open.get(descriptor) as OpenFile;
    const close = async (): Promise<void> => void open.delete(descriptor);
    return {
      fd: descriptor,
      close,
      [Symbol.asyncDispose]: close,
      stat: async (options: Options) => reading.stat(path, options),
      readFile: async (options: Options) => reading.readFile(path, options),
      read: async (buffer: ArrayBufferView, ...rest: unknown[]) => ({
        bytesRead: read(file, buffer, rest),
        buffer,
      }),
      createReadStream: (options: object) => fs.createReadStream(path, { ...options }),
    };
  });
}

function later(done: Callback, work: () => unknown, isSpread = false): void {
  let result: unknown;
  try {
    result = work();
  } catch (error) {
    process.nextTick(done, error);
    return;
  }
  process.nextTick(done, null, ...(isSpread ? (result as unknown[]) : [result]));
}

function optionsOf(options: Options | BufferEncoding | null | undefined): Options {
  return typeof options === 'string' ? { encoding: options } : (options ?? {});
}

function fieldsOf(options: object): unknown[] {
  const { offset, length, position } = options as Record<string, unknown>;
  return [offset, length, position];
}

function direntOf(name: string, parentPath: string, type: number): fs.Dirent {
  return new (fs.Dirent as unknown as new (name: string, type: number, path: string) => fs.Dirent)(
    name,
    type,
    parentPath,
  );
}

/** `fs.realpath.native` and its like. */
function keepNative(...functions: readonly (Any | undefined)[]): void {
  for (const each of functions) if (each !== undefined) Object.assign(each, { native: each });
}

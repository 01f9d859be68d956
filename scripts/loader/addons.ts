/**
 * Native addons: the C library opens files by name only, so a packed one is written into a private folder, opened, and removed
 * at once. So are the shared libraries of the pack, each in its place, because an addon names its own by their way from there.
 */
import fs from 'node:fs';
import os from 'node:os';
import type { Files } from './files.ts';

export function openAddonsFrom(files: Files): void {
  const original = process.dlopen;
  process.dlopen = (module: object, filename: string, flags: number = os.constants.dlopen.RTLD_LAZY): void => {
    const path = files.inside(filename);
    const file = path === undefined ? undefined : files.file(path);
    if (path === undefined || file === undefined) {
      original.call(process, module, filename, flags);
      return;
    }
    const folder = fs.mkdtempSync(`${os.tmpdir()}/vrypt-`);
    try {
      for (const each of [path, ...libraries(files)]) {
        const packed = files.file(each);
        if (packed === undefined) continue;
        fs.mkdirSync(folder + each.slice(0, each.lastIndexOf('/')), { recursive: true });
        fs.writeFileSync(folder + each, files.bytes(packed), { mode: 0o500 });
      }
      original.call(process, module, folder + path, flags);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  };
}

function libraries({ index }: Files): string[] {
  return Object.entries(index.folders).flatMap(([folder, names]) =>
    Object.keys(names)
      .filter((name) => /\.so(\.\d+)*$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
}

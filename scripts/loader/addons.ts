/**
 * Native addons: the C library opens files by name only, so a packed one is written into a private folder, opened, and removed
 * at once.
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
      const copy = `${folder}/${path.slice(path.lastIndexOf('/') + 1)}`;
      fs.writeFileSync(copy, files.bytes(file), { mode: 0o500 });
      original.call(process, module, copy, flags);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  };
}

/**
 * `process.chdir` into a packed folder: relative paths then mean packed files. The system knows nothing of it: a child process starts
 * in the folder before. For the first thread: Node refuses it in others.
 */
import { fail } from './errors.ts';
import type { Files } from './files.ts';

export function changeFolderOf(files: Files): void {
  const { chdir, cwd } = process;
  process.cwd = () => files.workingFolder ?? cwd();
  process.chdir = (folder) => {
    const path = files.inside(folder);
    if (path === undefined) {
      chdir(folder);
      files.workingFolder = undefined;
      return;
    }
    if (files.file(path) !== undefined) fail('ENOTDIR', 'chdir', process.cwd(), folder);
    if (!files.isFolder(path)) fail('ENOENT', 'chdir', process.cwd(), folder);
    files.workingFolder = path;
  };
}

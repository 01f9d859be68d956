/** Watches the folder of a program, and says when something in it has changed. Owns the watchers, which do not keep the process alive. */
import { type Dirent, readdirSync, watch } from 'node:fs';
import path from 'node:path';

/** An editor writes a file in several steps. */
const QUIET_MS = 100;
const WATCHED = /\.([cm]?[jt]sx?|json)$/;

/** Calls `onChange`, one call at a time. Folders of packages and those that start with a dot are not looked at. */
export function watchProgram(file: string, onChange: () => Promise<void>): void {
  let timer: NodeJS.Timeout | null = null;
  let isBusy = false;
  const changed = () => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(async () => {
      if (isBusy) {
        changed();
        return;
      }
      isBusy = true;
      await onChange();
      isBusy = false;
    }, QUIET_MS).unref();
  };
  const watched = new Set<string>();
  const add = (folder: string) => {
    if (watched.has(folder)) return;
    watched.add(folder);
    watch(folder, { persistent: false }, (_event, name) => {
      if (name === null || WATCHED.test(name)) changed();
      else for (const below of foldersIn(folder)) add(below);
    }).on('error', () => watched.delete(folder));
    for (const below of foldersIn(folder)) add(below);
  };
  add(path.dirname(file));
}

function foldersIn(folder: string): string[] {
  let entries: Dirent[] = [];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    // It has gone meanwhile.
  }
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
    .map(({ name }) => path.join(folder, name));
}

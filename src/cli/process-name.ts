/** What `top`, `pgrep` and `ss` call the process: its file's name is not the name of its main thread, which Node sets. */
import { writeFileSync } from 'node:fs';

const NAME = 'vrypt-server';

export function nameProcess(): void {
  try {
    // process.title would write over the arguments, and `ps` would show none.
    writeFileSync('/proc/self/comm', NAME);
  } catch {
    // Without /proc there are no arguments to be seen from in here either.
    process.title = NAME;
  }
}

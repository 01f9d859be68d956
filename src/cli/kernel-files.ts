/**
 * Small files that the kernel writes, in /proc and /sys, and the numbers in them. Every start reads some, so it matters how much of
 * the executable that brings into memory for the first time: an error of a system call 0.9 MiB, readFileSync in any encoding but
 * UTF-8 0.5 MiB, parseInt 0.2 MiB, the first regular expression 0.1 MiB; what is used here next to nothing.
 */
import { existsSync, readFileSync } from 'node:fs';

/** A file's content, or null if it cannot be read. Running out of descriptors throws, since it is the answer. */
export function readFile(path: string): string | null {
  if (!existsSync(path)) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EMFILE') throw error;
    return null;
  }
}

/** The number that follows a label and space; NaN if there is none, as in "Max open files   unlimited". */
export function numberAfter(text: string, label: string): number {
  const at = text.indexOf(label);
  if (at === -1) return Number.NaN;
  const [word] = text
    .slice(at + label.length)
    .trimStart()
    .split(' ', 1);
  return Number(word);
}

/** A private folder with a path of the same length on every machine, removed when the work or the process ends. */
import { mkdtempSync, rmSync } from 'node:fs';

export async function withTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync('/tmp/vrypt-');
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await work(folder);
  } finally {
    process.off('exit', remove);
    remove();
  }
}

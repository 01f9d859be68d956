/** What `fs.opendir` gives for a packed folder: the part of fs.Dir that reads. */
import type fs from 'node:fs';

type Done = (error: Error | null, entry?: fs.Dirent | null) => void;

export class Folder {
  readonly path: string;
  private readonly entries: fs.Dirent[];

  constructor(path: string, entries: readonly fs.Dirent[]) {
    this.path = path;
    this.entries = [...entries];
  }

  readSync(): fs.Dirent | null {
    return this.entries.shift() ?? null;
  }

  read(done?: Done): Promise<fs.Dirent | null> | undefined {
    const entry = this.readSync();
    if (done === undefined) return Promise.resolve(entry);
    process.nextTick(done, null, entry);
    return undefined;
  }

  closeSync(): void {
    this.entries.length = 0;
  }

  close(done?: Done): Promise<void> | undefined {
    this.closeSync();
    if (done === undefined) return Promise.resolve();
    process.nextTick(done, null);
    return undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<fs.Dirent> {
    for (let entry = this.readSync(); entry !== null; entry = this.readSync()) yield entry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closeSync();
  }
}

/**
 * Step 8, `checksums`: `dist/checksums-sha256.txt` in the format of `sha256sum -c`, one line an archive, sorted by name.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Archive, archive } from './archive.ts';
import { command } from './command.ts';
import { checksumsPath } from './derived.ts';
import { runStep } from './step.ts';

export async function writeChecksums(archives: readonly Archive[]): Promise<void> {
  const text = checksumLines(archives.map(({ file, sha256 }) => ({ name: path.basename(file), sha256 })));
  await runStep({
    step: 'checksums',
    inputs: { text },
    code: [],
    outputs: [checksumsPath],
    make: async () => {
      await writeFile(checksumsPath, text);
      return { files: archives.length };
    },
    summary: ({ files }) => `${path.basename(checksumsPath)}, ${files} archives`,
  });
}

/** Two spaces between hash and name: text mode, as sha256sum itself prints. */
export function checksumLines(files: readonly { readonly name: string; readonly sha256: string }[]): string {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  return sorted.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
}

if (import.meta.main) {
  await command('Writes the checksums of the archives of the chosen targets.', async (targets) =>
    writeChecksums(await Promise.all(targets.map(archive))),
  );
}

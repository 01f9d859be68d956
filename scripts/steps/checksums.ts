/**
 * `checksums`: `dist/checksums-sha256.txt`, one line per artifact, sorted by name. A partial release keeps the lines of
 * the artifacts that it did not make, as long as their files in `dist/` are still the ones that were listed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Checksum, checksumLines, parseChecksums } from '../formats/checksums.ts';
import { dist } from '../support/checkout.ts';
import { sha256File } from '../support/hash.ts';
import { counted } from '../support/progress.ts';
import { runStep } from '../support/step.ts';
import { type Artifact, artifactsOf, type MadeArtifact } from '../targets/artifacts.ts';
import { withTargets } from '../targets/select.ts';
import { checksumsPath } from '../targets/target-facts.ts';
import { readTargets } from '../targets/targets.ts';
import { makeArtifacts } from './artifacts.ts';

/** `planned`: what this run was to make. `good`: what it made, and what may be released. */
export async function writeChecksums(planned: readonly Artifact[], good: readonly MadeArtifact[]): Promise<void> {
  const listed = await readFile(checksumsPath, 'utf8').catch(() => '');
  const kept = await keptChecksums(listed, otherFiles(planned), dist);
  const text = checksumLines([...good.map(({ file, sha256 }) => ({ name: file, sha256 })), ...kept]);
  await runStep({
    step: 'checksums',
    inputs: { text },
    module: import.meta.filename,
    outputs: [checksumsPath],
    make: async () => {
      await writeFile(checksumsPath, text);
      return { made: good.length, kept: kept.length };
    },
    summary: (facts) => {
      const earlier = facts.kept === 0 ? '' : `, and ${counted(facts.kept, 'archive')} of earlier runs`;
      return `${path.basename(checksumsPath)}, ${counted(facts.made, 'archive')}${earlier}`;
    },
  });
}

/** The listed lines that `others` allows, if their files in `folder` are still the ones that were listed. */
export async function keptChecksums(text: string, others: readonly string[], folder: string): Promise<Checksum[]> {
  const lines = parseChecksums(text).filter(({ name }) => others.includes(name));
  const hashes = await Promise.all(lines.map(({ name }) => sha256File(path.join(folder, name)).catch(() => undefined)));
  return lines.filter(({ sha256 }, index) => sha256 === hashes[index]);
}

/** The files that the project plans, but not this run. */
function otherFiles(planned: readonly Artifact[]): string[] {
  const all = readTargets()
    .targets.flatMap(artifactsOf)
    .map(({ file }) => file);
  return all.filter((file) => planned.every((artifact) => artifact.file !== file));
}

if (import.meta.main) {
  await withTargets('Writes the checksums of the artifacts of the chosen targets.', async (targets) =>
    writeChecksums(targets.flatMap(artifactsOf), (await Promise.all(targets.map(makeArtifacts))).flat()),
  );
}

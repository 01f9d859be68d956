/**
 * `dist`: gives what was made, and has passed every check, its final name. Owns `dist/`: archives, checksums and manifest
 * there always speak of the same files of one version, commit and Node, however many runs made them.
 *
 * Everything is copied into `dist/.partial` and hashed there. Then the two lists disappear, the archives get their
 * names, and the lists come back: a run that dies in between, or finds no room, leaves nothing wrong under a final name.
 */
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { checksumLines } from '../formats/checksums.ts';
import { program } from '../program/program.ts';
import { Failure } from '../support/errors.ts';
import { sha256, sha256File } from '../support/hash.ts';
import { counted, say, stepLine } from '../support/progress.ts';
import { artifactPath, type MadeArtifact } from '../targets/artifacts.ts';
import { checksumsPath, dist, manifestPath } from '../targets/target-facts.ts';
import { type Manifest, manifest } from './manifest.ts';
import type { Outcome } from './smoke.ts';

interface Listed {
  readonly file: string;
  readonly sha256: string;
}

/** Returns the outcomes, with a fault for every target whose archive is no longer the one that was tried. */
export async function writeDist(
  outcomes: readonly Outcome[],
  commit: string,
  where: Places = { dist, made: artifactPath },
): Promise<Outcome[]> {
  const partial = path.join(where.dist, '.partial');
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    const checked = await Promise.all(outcomes.map((outcome) => stage(outcome, partial, where)));
    const earlier = await keptManifest(where.dist);
    const now = manifest(checked, commit, earlier);
    const files = now.targets.flatMap(({ verdict, artifacts }) => (verdict === 'good' ? artifacts : []));
    const texts = {
      [path.basename(checksumsPath)]: checksumLines(files.map(({ file, sha256 }) => ({ name: file, sha256 }))),
      [path.basename(manifestPath)]: `${JSON.stringify(now, null, 2)}\n`,
    };
    const wanted = [...files, ...Object.entries(texts).map(([file, text]) => ({ file, sha256: sha256(text) }))];
    const summary = `${path.basename(checksumsPath)}, ${counted(files.length, 'archive')}`;
    if (await isThere(wanted, where.dist)) {
      say(stepLine('dist', undefined, `unchanged ${summary}`));
      return checked;
    }
    for (const [file, text] of Object.entries(texts)) await writeFile(path.join(partial, file), text);
    await install(files, Object.keys(texts), partial, where.dist);
    say(stepLine('dist', undefined, summary));
    return checked;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

export interface Places {
  readonly dist: string;
  readonly made: (artifact: MadeArtifact) => string;
}

/** Copies what passed; the copy must be what was tried. */
async function stage(outcome: Outcome, partial: string, { made }: Places): Promise<Outcome> {
  if (outcome.fault !== undefined) return outcome;
  for (const artifact of outcome.artifacts) {
    const copy = path.join(partial, artifact.file);
    await copyFile(made(artifact), copy).catch((error: NodeJS.ErrnoException) => {
      throw new Failure(`dist/ must have room for ${artifact.file}, got ${error.code}: nothing in it has changed`);
    });
    const got = await sha256File(copy);
    if (got !== artifact.sha256) {
      const fault = `${artifact.file} must still be the file that was tried, SHA-256 ${artifact.sha256}, got ${got}`;
      return { ...outcome, fault };
    }
  }
  return outcome;
}

async function install(
  files: readonly Listed[],
  lists: readonly string[],
  partial: string,
  folder: string,
): Promise<void> {
  for (const list of [...lists].reverse()) await rm(path.join(folder, list), { force: true });
  for (const file of await ourArchives(folder)) {
    if (files.some((listed) => listed.file === file)) continue;
    await rm(path.join(folder, file));
    say(`removed dist/${file}, which is not part of this release`);
  }
  const staged = await readdir(partial);
  for (const { file } of files) {
    if (staged.includes(file)) await rename(path.join(partial, file), path.join(folder, file));
  }
  for (const list of lists) await rename(path.join(partial, list), path.join(folder, list));
}

async function isThere(wanted: readonly Listed[], folder: string): Promise<boolean> {
  const hashes = await Promise.all(wanted.map(({ file }) => hashOf(path.join(folder, file))));
  const archives = await ourArchives(folder);
  return (
    wanted.every((listed, index) => listed.sha256 === hashes[index]) &&
    archives.every((archive) => wanted.some(({ file }) => file === archive))
  );
}

async function ourArchives(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  return files.filter((file) => file.startsWith(`${program.name}-v`) && file.endsWith('.tar.gz'));
}

/** Without the entries whose files are no longer those that it lists. */
async function keptManifest(folder: string): Promise<Manifest | undefined> {
  try {
    const text = await readFile(path.join(folder, path.basename(manifestPath)), 'utf8');
    const earlier = JSON.parse(text) as Manifest;
    const isKept = await Promise.all(
      earlier.targets.map(async ({ artifacts }) => {
        const hashes = await Promise.all(artifacts.map(({ file }) => hashOf(path.join(folder, file))));
        return artifacts.every((artifact, index) => artifact.sha256 === hashes[index]);
      }),
    );
    return { ...earlier, targets: earlier.targets.filter((_, index) => isKept[index]) };
  } catch {
    return undefined;
  }
}

function hashOf(file: string): Promise<string | undefined> {
  return sha256File(file).catch(() => undefined);
}

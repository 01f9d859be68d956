/**
 * `dist`: gives what was made, and has passed every check, its final name. Owns `dist/`: archives, checksums and manifest
 * there always speak of the same files of one version, commit and Node, however many runs made them.
 *
 * What is not there already is copied into `dist/.partial` and hashed there. Then the two lists disappear, the archives get their
 * names, and the lists come back: a run that dies in between, or finds no room, leaves nothing wrong under a final name.
 */
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { checksumLines } from '../formats/checksums.ts';
import { program } from '../program/program.ts';
import { shown } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { sha256, sha256File } from '../support/hash.ts';
import { counted, say, stepLine } from '../support/progress.ts';
import { artifactPath, type MadeArtifact } from '../targets/artifacts.ts';
import { checksumsPath, dist, manifestPath } from '../targets/target-facts.ts';
import { type Head, type Manifest, type ManifestFile, manifest } from './manifest.ts';
import { type ReleaseFacts, releaseFiles, type TextFile } from './release-files.ts';
import type { Outcome } from './smoke.ts';

type Listed = Pick<ManifestFile, 'file' | 'sha256'>;

export interface Places {
  readonly dist: string;
  readonly made: (artifact: Pick<MadeArtifact, 'file'>) => string;
}

export interface Release {
  readonly head: Head;
  readonly facts: ReleaseFacts;
  /** Files of all targets together, made beside the artifacts: image, npm packages. Without them the earlier ones stay. */
  readonly whole: readonly ManifestFile[];
}

/** Returns the outcomes, with a fault for every target of which a file is no longer the one that was tried. */
export async function writeDist(
  outcomes: readonly Outcome[],
  { head, facts, whole }: Release,
  where: Places = { dist, made: artifactPath },
): Promise<Outcome[]> {
  const partial = path.join(where.dist, '.partial');
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    const mark = markOf(head);
    const checked = await Promise.all(outcomes.map((outcome) => stage(outcome, mark, partial, where)));
    const staged = await Promise.all(whole.map((file) => stageFile(file, mark, partial, where)));
    const before = await keptManifest(where.dist);
    const draft = manifest(checked, head, before);
    const texts = releaseFiles({ ...draft, version: `${draft.version}${mark}` }, facts);
    const now: Manifest = { ...draft, files: [...wholeFiles(draft, staged), ...texts.map(listed)] };
    const files = filesOf(now);
    const lists = {
      [path.basename(checksumsPath)]: checksumLines(files.map(({ file, sha256 }) => ({ name: file, sha256 }))),
      [path.basename(manifestPath)]: `${JSON.stringify(now, null, 2)}\n`,
    };
    const wanted = [...files, ...Object.entries(lists).map(([file, text]) => ({ file, sha256: sha256(text) }))];
    const summary = `${path.basename(checksumsPath)}, ${counted(files.length, 'file')}`;
    if (await isThere(wanted, where.dist)) {
      say(stepLine('dist', undefined, `unchanged ${summary}`));
      return checked;
    }
    for (const { file, text } of texts) await writeFile(path.join(partial, file), text);
    for (const [file, text] of Object.entries(lists)) await writeFile(path.join(partial, file), text);
    await install(files, Object.keys(lists), partial, where.dist);
    say(stepLine('dist', undefined, summary));
    return checked;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Everything that the checksums name. */
export function filesOf({ targets, files }: Manifest): readonly ManifestFile[] {
  return [...targets.flatMap((entry) => (entry.verdict === 'good' ? entry.files : [])), ...files];
}

/** Stands behind the version in file names, so that nobody takes such a release for the commit's. */
function markOf({ commit }: Head): string {
  return commit.endsWith('-changed') ? '-changed' : '';
}

/** Of the same kind, the new one counts; an earlier one stays only while it is of the same version and commit. */
function wholeFiles({ files: earlier }: Manifest, made: readonly ManifestFile[]): ManifestFile[] {
  const kept = earlier.filter(
    ({ kind }) => (kind === 'image' || kind === 'npm') && !made.some((file) => file.kind === kind),
  );
  return [...kept, ...made];
}

function listed({ kind, file, text }: TextFile): ManifestFile {
  return { kind, file, sha256: sha256(text), bytes: Buffer.byteLength(text) };
}

/** Copies what passed; the copy must be what was tried. */
async function stage(outcome: Outcome, mark: string, partial: string, where: Places): Promise<Outcome> {
  if (outcome.fault !== undefined) return outcome;
  try {
    const artifacts = await Promise.all(outcome.artifacts.map((artifact) => stageFile(artifact, mark, partial, where)));
    return { ...outcome, artifacts };
  } catch (error) {
    if (error instanceof Changed) return { ...outcome, fault: error.message };
    throw error;
  }
}

class Changed extends Failure {}

async function stageFile<File extends ManifestFile>(
  made: File,
  mark: string,
  partial: string,
  where: Places,
): Promise<File> {
  const file = made.file.replace(program.version, `${program.version}${mark}`);
  const changed = (got: string): Changed =>
    new Changed(`${made.file} must still be the file that was tried, SHA-256 ${made.sha256}, got ${got}`);
  if ((await hashOf(path.join(where.dist, file))) === made.sha256) {
    const tried = await sha256File(where.made(made));
    if (tried !== made.sha256) throw changed(tried);
    return { ...made, file };
  }
  const copy = path.join(partial, file);
  await copyFile(where.made(made), copy).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`dist/ must have room for ${file}, got ${error.code}: nothing in it has changed`);
  });
  const got = await sha256File(copy);
  if (got === made.sha256) return { ...made, file };
  throw changed(got);
}

async function install(
  files: readonly Listed[],
  lists: readonly string[],
  partial: string,
  folder: string,
): Promise<void> {
  for (const list of [...lists].reverse()) await rm(path.join(folder, list), { force: true });
  for (const file of await ourFiles(folder)) {
    if (files.some((listed) => listed.file === file)) continue;
    await rm(path.join(folder, file));
    say(`removed ${shown(path.join(folder, file))}, which is not part of this release`);
  }
  const staged = await readdir(partial);
  for (const { file } of files) {
    if (staged.includes(file)) await rename(path.join(partial, file), path.join(folder, file));
  }
  for (const list of lists) await rename(path.join(partial, list), path.join(folder, list));
}

async function isThere(wanted: readonly Listed[], folder: string): Promise<boolean> {
  const hashes = await Promise.all(wanted.map(({ file }) => hashOf(path.join(folder, file))));
  const archives = await ourFiles(folder);
  return (
    wanted.every((listed, index) => listed.sha256 === hashes[index]) &&
    archives.every((archive) => wanted.some(({ file }) => file === archive))
  );
}

async function ourFiles(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  return files.filter((file) => file.startsWith(`${program.name}-`) || file.startsWith(`${program.name}_`));
}

/** Without the entries whose files are no longer those that it lists. */
async function keptManifest(folder: string): Promise<Manifest | undefined> {
  try {
    const text = await readFile(path.join(folder, path.basename(manifestPath)), 'utf8');
    const earlier = JSON.parse(text) as Manifest;
    const isThere = async ({ file, sha256: wanted }: Listed): Promise<boolean> =>
      (await hashOf(path.join(folder, file))) === wanted;
    const isKept = await Promise.all(
      earlier.targets.map(async ({ files }) => (await Promise.all(files.map(isThere))).every(Boolean)),
    );
    const isFileKept = await Promise.all(earlier.files.map(isThere));
    return {
      ...earlier,
      targets: earlier.targets.filter((_, index) => isKept[index]),
      files: earlier.files.filter((_, index) => isFileKept[index]),
    };
  } catch {
    return undefined;
  }
}

function hashOf(file: string): Promise<string | undefined> {
  return sha256File(file).catch(() => undefined);
}

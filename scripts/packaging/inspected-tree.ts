/**
 * What may lie in an archive, a package or an image: nothing but the files that are named here, with these modes, root's, of the
 * commit's time. Pure; every broken rule is a sentence.
 */
import type { TarEntry } from '../formats/tar-reader.ts';
import { sha256 } from '../support/hash.ts';

export interface Place {
  /** As the archive names it. */
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  /** SHA-256 of the content; undefined: any that is not empty. */
  readonly sha256?: string | undefined;
}

export interface Tree {
  readonly places: readonly Place[];
  /** Folders that hold no file. */
  readonly folders?: readonly string[];
  readonly time: number;
}

export function treeFaults(entries: readonly TarEntry[], { places, folders = [], time }: Tree): string[] {
  const faults: string[] = [];
  const wanted = new Map(places.map((place) => [place.path, place]));
  const above = new Set([...folders, ...places.flatMap(({ path }) => foldersAbove(path))]);
  const seen = new Set<string>();
  for (const entry of entries) {
    const { name } = entry;
    const bare = name.replace(/\/$/, '');
    const place = wanted.get(name);
    const must = (what: string, right: string, got: string): void => {
      if (right !== got) faults.push(`${name} must have the ${what} ${right}, got ${got}`);
    };
    if (seen.has(bare)) faults.push(`${name} must be there once, got it again`);
    seen.add(bare);
    if (entry.kind !== 'file' && entry.kind !== 'folder') {
      faults.push(`${name} must be a file or a folder, got ${linkInWords(entry)}`);
    } else if (place === undefined && !(entry.kind === 'folder' && above.has(bare))) {
      faults.push(`${name} must not be there, got a ${entry.kind} of ${entry.data.length} bytes`);
    }
    must('mode', octal(place?.mode ?? 0o755), octal(entry.mode));
    must('owner', '0:0 root:root', entry.owner);
    must('time', String(time), String(entry.time));
    if (place === undefined) continue;
    if (place.sha256 !== undefined) must('SHA-256', place.sha256, sha256(entry.data));
    else if (entry.data.length === 0) faults.push(`${name} must not be empty, got 0 bytes`);
  }
  for (const { path } of places) if (!seen.has(path)) faults.push(`${path} must be there, got no such file`);
  return faults;
}

function linkInWords({ kind, link }: TarEntry): string {
  if (kind === 'type 1') return `a link to ${link}`;
  return kind === 'type 2' ? `a symbolic link to ${link}` : kind;
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/')).filter((folder) => folder !== '');
}

function octal(mode: number): string {
  return mode.toString(8);
}

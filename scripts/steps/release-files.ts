/** The texts of a whole release, made from its manifest: installer, notes, schema. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { changesOf, notes } from '../packaging/notes.ts';
import { program } from '../program/program.ts';
import { isOwnProject, root } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { needsOf } from '../targets/target-facts.ts';
import { readTargets, type Target } from '../targets/targets.ts';
import { installer } from './installer.ts';
import type { Manifest, ManifestTarget } from './manifest.ts';

export interface ReleaseFacts {
  /** Of the project on GitHub, https://github.com/owner/name; empty: unknown. */
  readonly repository: string;
  /** The last release, for what has changed in size. */
  readonly previous: Manifest | undefined;
}

export interface TextFile {
  readonly kind: 'installer' | 'notes' | 'schema';
  readonly file: string;
  readonly text: string;
}

export function releaseFiles(
  { version, targets: released }: Manifest,
  { repository, previous }: ReleaseFacts,
): TextFile[] {
  const { name } = program;
  const keys = publicKeys();
  const good = released.filter(({ verdict }) => verdict === 'good');
  const rows = good.flatMap((entry) => {
    const target = targetOf(entry);
    const archive = archiveOf(entry);
    if (target === undefined || archive === undefined) return [];
    const before = archiveOf(previous?.targets.find((other) => other.target === entry.target))?.bytes;
    return [{ target: entry.target, needs: needsOf(target), archive: archive.file, bytes: archive.bytes, before }];
  });
  // Somebody else's project keeps its changelog as it likes.
  const changelog = isOwnProject ? readOptional('CHANGELOG.md') : undefined;
  const changes = changelog === undefined ? undefined : changesOf(changelog, program.version);
  const url = repository === '' ? '' : `${repository}/releases/download/v@`;
  return [
    {
      kind: 'installer',
      file: 'install.sh',
      text: installer({
        name,
        version,
        url,
        saysVersion: program.commandLine !== undefined,
        keys,
        targets: good.flatMap((entry) => targetOf(entry) ?? []),
      }),
    },
    {
      kind: 'schema',
      file: 'manifest.schema.json',
      text: readFileSync(path.join(import.meta.dirname, 'manifest.schema.json'), 'utf8'),
    },
    {
      kind: 'notes',
      file: 'release-notes.md',
      text: notes({ name, version, changes, rows, keys, repository: repository.replace(/^https:\/\/[^/]+\//, '') }),
    },
  ];
}

/**
 * minisign's, from `keys/`: any of them may have signed, so that a key can be replaced. Somebody else's project may keep other
 * keys there: its files count if they begin as minisign's do.
 */
export function publicKeys(folder: string = path.join(root, 'keys'), isOwn: boolean = isOwnProject): string[] {
  const files = listOf(folder).filter((file) => file.endsWith('.pub'));
  return files.sort().flatMap((file) => {
    const [comment = '', key = ''] = readFileSync(path.join(folder, file), 'utf8').split('\n');
    if (/^RW[A-Za-z0-9+/]{54}$/.test(key.trim())) return [key.trim()];
    if (!isOwn && !comment.startsWith('untrusted comment:')) return [];
    throw new Failure(`keys/${file} must be a public key of minisign, its second line is "${key.trim()}"`);
  });
}

function listOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function archiveOf(entry: ManifestTarget | undefined) {
  return entry?.files.find(({ kind }) => kind === 'tar.gz');
}

function targetOf({ target }: ManifestTarget): Target | undefined {
  return readTargets().targets.find(({ triple }) => triple === target);
}

function readOptional(file: string): string | undefined {
  try {
    return readFileSync(path.join(root, file), 'utf8');
  } catch {
    return undefined;
  }
}

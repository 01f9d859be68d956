/**
 * What a release is made from: the commit, its time, and everything that differs from what the commit and the lock file say.
 * Read once per process, so that all steps agree.
 */
import { isOwnProject, readTree } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { once } from '../support/once.ts';
import { checkPackages } from './packages.ts';

export interface Origin {
  /** As the executable and the manifest say it: marked when anything differs, `unknown` where nobody can tell. */
  readonly commit: string;
  readonly time: number;
  /** In words, each with its name; empty: as committed. */
  readonly changes: readonly string[];
  /** Of the npm packages that decide the bytes; empty for somebody else's program, whose lock file is theirs to keep. */
  readonly packages: string;
}

export function readOrigin(): Promise<Origin> {
  return once('origin', async () => {
    const { commit, time, changes: files } = readTree();
    const packages = isOwnProject ? checkPackages() : { sha256: '', faults: [] };
    const changes = [...(commit === undefined ? ['no commit is known'] : []), ...files, ...packages.faults];
    const mark = commit === undefined || changes.length === 0 ? '' : '-changed';
    return { commit: `${commit ?? 'unknown'}${mark}`, time, changes, packages: packages.sha256 };
  });
}

/** Refuses what nobody can make again from a commit. */
export function assertUnchanged({ changes }: Origin): void {
  if (changes.length === 0) return;
  const more = changes.length > 5 ? `, and ${changes.length - 5} more` : '';
  throw new Failure(
    `a release must be made from a commit and nothing else, got ${changes.slice(0, 5).map(oneLine).join(', ')}${more}; ` +
      '--allow-dirty makes one that says so',
  );
}

/** What was made is not of this commit if a file has changed meanwhile. */
export function assertSameTree(origin: Origin): void {
  const now = readTree();
  const late = now.changes.filter((file) => !origin.changes.includes(file));
  if (late.length > 0)
    throw new Failure(`the checkout must not change during a release, got ${late.map(oneLine).join(', ')}`);
  if (now.commit !== undefined && !origin.commit.startsWith(now.commit)) {
    throw new Failure(`the commit must not change during a release, got ${now.commit} after ${origin.commit}`);
  }
}

function oneLine(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

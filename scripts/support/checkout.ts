/**
 * Facts about the checkout: where it is, its version, its commit, the commit's time, and what differs from that commit.
 * Every path that a step writes starts at `build` or `dist`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Failure } from './errors.ts';

export const root: string = path.resolve(import.meta.dirname, '../..');
/** Intermediate results, one folder per step. */
export const build: string = path.join(root, 'build');
/** A release: archives, checksums, manifest. */
export const dist: string = path.join(root, 'dist');

export const version: string = (
  JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
).version;

export interface Tree {
  /** Twelve digits: git's own abbreviation grows with the clone and would change the bytes. undefined: nobody knows. */
  readonly commit: string | undefined;
  /** Seconds since 1970, stamped on every archive entry. */
  readonly time: number;
  /** Files that are not as in the commit, untracked ones included; sorted. */
  readonly changes: readonly string[];
}

/**
 * From git, or from what `git archive` has written into `exported.json` (export-subst, .gitattributes). Outside both, the
 * commit is unknown and the time is 1980-01-01, the oldest that every archive format can hold.
 */
export function readTree(folder: string = root): Tree {
  if (existsSync(path.join(folder, '.git'))) {
    const [sha = '', time = ''] = git(folder, 'log', '-1', '--format=%H %ct').trim().split(' ');
    return { commit: sha.slice(0, 12), time: Number(time), changes: changesIn(folder) };
  }
  const exported = JSON.parse(readFileSync(path.join(folder, 'scripts/support/exported.json'), 'utf8')) as {
    commit: string;
    time: string;
  };
  if (!/^[0-9a-f]{40,}$/.test(exported.commit)) return { commit: undefined, time: 315532800, changes: [] };
  return { commit: exported.commit.slice(0, 12), time: Number(exported.time), changes: [] };
}

/** A path as people read it: relative to the checkout. */
export function shown(file: string): string {
  return path.relative(root, file) || '.';
}

/**
 * Only the project's own .gitignore files hide an untracked file: not the user's excludesFile, not .git/info/exclude.
 * A file that the index is told to overlook (assume-unchanged, skip-worktree) counts as changed, since nobody can tell.
 */
function changesIn(folder: string): string[] {
  const status = git(folder, 'status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=no');
  const untracked = git(folder, 'ls-files', '-z', '--others', '--exclude-per-directory=.gitignore');
  const overlooked = git(folder, 'ls-files', '-z', '-v');
  return [
    ...items(status).map((line) => line.slice(3)),
    ...items(untracked),
    ...items(overlooked).flatMap((line) => (/^[a-zS] /.test(line) ? [line.slice(2)] : [])),
  ].sort();
}

function items(text: string): string[] {
  return text.split('\0').filter(Boolean);
}

/** A git that is missing or refuses to work is a failure, not "unknown". Its environment and settings do not matter. */
function git(folder: string, ...args: string[]): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  const settings = ['core.fileMode=true', 'core.autocrlf=false', 'core.fsmonitor=false', 'core.untrackedCache=false'];
  const command = ['--no-optional-locks', ...settings.flatMap((setting) => ['-c', setting]), ...args];
  const options = { cwd: folder, encoding: 'utf8', env: { ...env, LC_ALL: 'C' }, maxBuffer: 1 << 28 } as const;
  const { status, stdout, stderr, error } = spawnSync('git', command, options);
  if (status === 0) return stdout;
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    throw new Failure('git must be installed, because the commit is stamped on every archive; git was not found');
  }
  const reason = error?.message ?? stderr.trim().replaceAll(/\s*\n\s*/g, '; ');
  throw new Failure(`git ${args[0]} must work in this checkout, got: ${reason}`);
}

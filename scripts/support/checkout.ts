/**
 * Where things are: the toolchain, the project that it packages, and what a step may write; and of the project its commit, the
 * commit's time, and what differs from that commit. Every path that a step writes starts at `build`, at `cache`, or at the
 * folder of a release.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { Failure } from './errors.ts';

/** The toolchain's own files: this checkout, or the folder of its npm package. */
export const toolchain: string = path.resolve(import.meta.dirname, '../..');
const isInstalled = toolchain.includes(`${path.sep}node_modules${path.sep}`);
/**
 * The project that is packaged: the nearest folder, from the current one upwards, that is one; without any, this checkout, or the current
 * folder for a toolchain that is installed.
 */
export const root: string = projectOf(process.cwd()) ?? (isInstalled ? process.cwd() : toolchain);
/** Our own: its folders are those of a checkout. */
export const isOwnProject: boolean = root === toolchain;
/** Intermediate results of this project, one folder per step. */
export const build: string = isOwnProject
  ? path.join(root, 'build')
  : path.join(root, 'node_modules/.cache/vrypt-release');
/** What all projects of a user share: runtimes, and what they are tried with. */
export const cache: string = isOwnProject ? build : userCache();

function projectOf(folder: string): string | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    if (['vrypt.release.json', 'package.json'].some((name) => existsSync(path.join(at, name)))) return at;
    if (at === path.dirname(at)) return undefined;
  }
}

/** XDG Base Directory Specification: a relative XDG_CACHE_HOME is ignored. */
function userCache(): string {
  const { XDG_CACHE_HOME: given = '' } = process.env;
  return path.join(path.isAbsolute(given) ? given : path.join(homedir(), '.cache'), 'vrypt-release');
}

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
  const file = path.join(folder, 'scripts/support/exported.json');
  if (existsSync(path.join(folder, '.git')) || (!existsSync(file) && isInsideGit(folder))) {
    if (git(folder, 'rev-list', '--all', '--max-count=1') === '') return unknownTree;
    const [sha = '', time = ''] = git(folder, 'log', '-1', '--format=%H %ct').trim().split(' ');
    return { commit: sha.slice(0, 12), time: Number(time), changes: changesIn(folder) };
  }
  if (!existsSync(file)) return unknownTree;
  const exported = JSON.parse(readFileSync(file, 'utf8')) as { commit: string; time: string };
  if (!/^[0-9a-f]{40,}$/.test(exported.commit)) return unknownTree;
  return { commit: exported.commit.slice(0, 12), time: Number(exported.time), changes: [] };
}

const unknownTree: Tree = { commit: undefined, time: 315532800, changes: [] };

/** A package of a larger repository. */
function isInsideGit(folder: string): boolean {
  for (let at = folder; at !== path.dirname(at); at = path.dirname(at)) {
    if (existsSync(path.join(at, '.git'))) return true;
  }
  return false;
}

/** A path as people read it: relative to the project. */
export function shown(file: string): string {
  return path.relative(root, file) || '.';
}

/**
 * Only the project's own .gitignore files hide an untracked file: not the user's excludesFile, not .git/info/exclude.
 * A file that the index is told to overlook (assume-unchanged, skip-worktree) counts as changed, since nobody can tell.
 */
function changesIn(folder: string): string[] {
  const status = git(folder, 'status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=no', '--', '.');
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

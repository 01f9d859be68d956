/**
 * Facts about the checkout: where it is, its version, its commit and the commit's time.
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

/**
 * The commit, marked when any of `sources` has changed since. Twelve digits: git's own abbreviation grows with the clone
 * and would change the bytes.
 */
export function commit(sources: readonly string[]): string {
  const sha = git('rev-parse', '--short=12', 'HEAD');
  if (sha === undefined) return 'unknown';
  const changed = git('status', '--porcelain', '--', ...sources);
  return changed === '' ? sha : `${sha}-changed`;
}

/** Seconds since 1970, stamped on every archive entry; 1980-01-01 outside a git checkout. */
export function commitTime(): number {
  return Number(git('log', '-1', '--format=%ct') ?? 315532800);
}

/** A path as people read it: relative to the checkout. */
export function shown(file: string): string {
  return path.relative(root, file) || '.';
}

/** undefined outside a git checkout; a git that refuses to work inside one is a failure, not "unknown". */
function git(...args: string[]): string | undefined {
  if (!existsSync(path.join(root, '.git'))) return undefined;
  const { status, stdout, stderr, error } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Failure(`git ${args[0]} failed: ${error?.message ?? stderr.trim()}`);
  return stdout.trim();
}

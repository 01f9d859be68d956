/**
 * What is true of the whole checkout: where it lies, its version, its commit and that commit's time.
 * Owns nothing; every path that a step writes starts from `build` or `dist` here.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Failure } from './problem.ts';

export const root: string = path.resolve(import.meta.dirname, '..');
/** Intermediate results, one folder a step. */
export const build: string = path.join(root, 'build');
/** What a release consists of: archives, checksums, manifest. */
export const dist: string = path.join(root, 'dist');

export const name = 'vrypt-server';
export const version: string = (
  JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
).version;

export const cores: number = availableParallelism();

/** Twelve digits, because git's own abbreviation grows with the clone and would change the bytes. */
export function commit(): string {
  const sha = git('rev-parse', '--short=12', 'HEAD');
  if (sha === undefined) return 'unknown';
  const changed = git('status', '--porcelain', '--', 'src', 'package.json', 'package-lock.json');
  return changed === '' ? sha : `${sha}-changed`;
}

/** Seconds since 1970 that every archive entry carries; 1980-01-01 outside a git checkout. */
export function commitTime(): number {
  return Number(git('log', '-1', '--format=%ct') ?? 315532800);
}

/** A path as people read it: relative to the checkout. */
export function shown(file: string): string {
  return path.relative(root, file) || '.';
}

/** undefined where there is no git checkout; a git that refuses to work in one is a failure, not "unknown". */
function git(...args: string[]): string | undefined {
  if (!existsSync(path.join(root, '.git'))) return undefined;
  const { status, stdout, stderr, error } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Failure(`git ${args[0]} failed: ${error?.message ?? stderr.trim()}`);
  return stdout.trim();
}

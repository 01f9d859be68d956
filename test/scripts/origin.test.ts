import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assertUnchanged } from '../../scripts/sources/origin.ts';
import { checkPackages, pinPackages } from '../../scripts/sources/packages.ts';
import { readTree, root } from '../../scripts/support/checkout.ts';
import { Checkout } from './checkout.ts';

let folder = '';
const environment = { ...process.env };

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'vrypt-tree-'));
});

afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
  rmSync(folder, { recursive: true });
});

function git(...args: string[]): string {
  const settings = ['-c', 'user.name=a', '-c', 'user.email=a@localhost', '-c', 'commit.gpgSign=false'];
  return execFileSync('git', [...settings, ...args], { cwd: folder, encoding: 'utf8' }).trim();
}

function write(name: string, text: string): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function commit(): string {
  git('init', '--quiet');
  write('.gitignore', 'build/\n');
  write('.gitattributes', 'scripts/support/exported.json export-subst\n');
  write('README.md', 'text');
  write('tsconfig.json', '{}');
  write('scripts/support/exported.json', readFileSync(path.join(root, 'scripts/support/exported.json'), 'utf8'));
  git('add', '.');
  git('commit', '--quiet', '--message=first');
  return git('rev-parse', 'HEAD').slice(0, 12);
}

test('a commit and nothing else: its name, its time, no changes', () => {
  const sha = commit();
  write('build/result', 'ignored by the project');
  expect(readTree(folder)).toEqual({ commit: sha, time: Number(git('log', '-1', '--format=%ct')), changes: [] });
});

test('every file counts, tracked or not, in whatever folder', () => {
  commit();
  write('README.md', 'edited');
  write('tsconfig.json', '{ }');
  write('new folder/file', '');
  expect(readTree(folder).changes).toEqual(['README.md', 'new folder/file', 'tsconfig.json']);
});

test("the user's git settings hide nothing", () => {
  commit();
  write('untracked', '');
  write('hidden', '');
  write('ignore-all', '*\n');
  git('config', 'status.showUntrackedFiles', 'no');
  git('config', 'core.excludesFile', path.join(folder, 'ignore-all'));
  git('config', 'core.fileMode', 'false');
  write('.git/info/exclude', 'hidden\n');
  execFileSync('chmod', ['+x', 'README.md'], { cwd: folder });
  process.env['GIT_DIR'] = '/nowhere';
  expect(readTree(folder).changes).toEqual(['README.md', 'hidden', 'ignore-all', 'untracked']);
});

test('a file that the index is told to overlook counts as changed', () => {
  commit();
  git('update-index', '--assume-unchanged', 'README.md');
  git('update-index', '--skip-worktree', 'tsconfig.json');
  expect(readTree(folder).changes).toEqual(['README.md', 'tsconfig.json']);
});

test('a file that only was touched is not changed', () => {
  commit();
  utimesSync(path.join(folder, 'README.md'), 1, 1);
  expect(readTree(folder).changes).toEqual([]);
});

test('an exported tarball knows its commit and time', () => {
  const sha = commit();
  const { time } = readTree(folder);
  mkdirSync(path.join(folder, 'build/exported'), { recursive: true });
  execFileSync('sh', ['-c', 'git archive HEAD | tar -x -C build/exported'], { cwd: folder });
  expect(readTree(path.join(folder, 'build/exported'))).toEqual({ commit: sha, time, changes: [] });
});

test('this checkout exports it too', () => {
  expect(readFileSync(path.join(root, '.gitattributes'), 'utf8')).toContain(
    'scripts/support/exported.json export-subst',
  );
});

test('a plain copy of the files knows no commit', () => {
  commit();
  rmSync(path.join(folder, '.git'), { recursive: true });
  expect(readTree(folder)).toEqual({ commit: undefined, time: 315532800, changes: [] });
});

test('a missing git, or one that refuses, is named in one line', () => {
  commit();
  process.env['PATH'] = folder;
  expect(() => readTree(folder)).toThrow(/^git must be installed[^\n]*$/);
  write(
    'git',
    '#!/bin/sh\necho "fatal: detected dubious ownership in repository at X" >&2\necho "To add" >&2\nexit 128\n',
  );
  execFileSync('/bin/chmod', ['+x', path.join(folder, 'git')]);
  expect(() => readTree(folder)).toThrow(/^git \S+ must work in this checkout, got: [^\n]*dubious ownership[^\n]*$/);
});

test('a changed checkout is refused, and each file is named', () => {
  const origin = { commit: 'a-changed', time: 0, packages: '', changes: ['README.md', 'a\nb'] };
  expect(() => assertUnchanged(origin)).toThrow(/^[^\n]*got README\.md, a\\nb; --allow-dirty[^\n]*$/);
  expect(() => assertUnchanged({ ...origin, changes: [] })).not.toThrow();
});

/** A checkout with one package, and its pins. */
function install(): string {
  const lock = { packages: { 'node_modules/commander': { version: '1.0.0', integrity: 'sha512-a' } } };
  write('package-lock.json', JSON.stringify(lock));
  cpSync(path.join(root, 'node_modules/commander'), path.join(folder, 'node_modules/commander'), { recursive: true });
  write('pins.json', JSON.stringify(pinPackages(folder)));
  return path.join(folder, 'pins.json');
}

test('what is installed is what the lock file says', () => {
  expect(checkPackages().faults).toEqual([]);
  expect(checkPackages(folder, install()).faults).toEqual([]);
});

test('an edited, added or missing file of a package is a change', () => {
  const pins = install();
  const rule = /^node_modules\/commander must hold the files of 1\.0\.0 \(npm ci\), got \w+$/;
  write('node_modules/commander/lib/more.js', '');
  expect(checkPackages(folder, pins).faults).toEqual([expect.stringMatching(rule)]);
  rmSync(path.join(folder, 'node_modules'), { recursive: true });
  expect(checkPackages(folder, pins).faults).toEqual([expect.stringMatching(/got none$/)]);
});

test('another version in the lock file must be pinned', () => {
  const pins = install();
  write(
    'package-lock.json',
    JSON.stringify({ packages: { 'node_modules/commander': { version: '2.0.0', integrity: 'x' } } }),
  );
  expect(checkPackages(folder, pins).faults).toEqual([
    expect.stringContaining('must be 1.0.0 sha512-a in package-lock'),
  ]);
});

test('a release of a changed checkout ends with one line before anything is made', () => {
  const checkout = new Checkout();
  try {
    writeFileSync(path.join(checkout.folder, 'untracked'), '');
    const rule =
      'a release must be made from a commit and nothing else, got untracked; --allow-dirty makes one that says so\n';
    expect(checkout.run('scripts/release.ts')).toEqual({ status: 1, stdout: '', stderr: rule });
  } finally {
    checkout.remove();
  }
});

/** The scripts of .github/steps, in the order in which release.yml runs them, with a stand-in for gh that keeps releases in a folder. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeDist } from '../../scripts/steps/dist.ts';
import { root } from '../../scripts/support/checkout.ts';
import { sha256 } from '../../scripts/support/hash.ts';
import { tarball } from '../../scripts/targets/artifacts.ts';
import { isReady, readTargets } from '../../scripts/targets/targets.ts';
import { areInstalled } from '../installed.ts';

const gh = `#!/bin/sh
# The few commands that the steps call. A release is $GH_FOLDER/<tag>/, its state is $GH_FOLDER/<tag>.state.
set -eu
what="$1 $2"; shift 2
case $what in
  'release view') cat "$GH_FOLDER/$1.state" ;;
  'release create') mkdir "$GH_FOLDER/$1"; echo true >"$GH_FOLDER/$1.state" ;;
  'release upload') tag=$1; shift 3; cp -- "$@" "$GH_FOLDER/$tag/" ;;
  'release download') cp -- "$GH_FOLDER/$1"/* "$3/" ;;
  'release edit') echo false >"$GH_FOLDER/$1.state" ;;
  'attestation verify') ! grep -qs "^$(basename "$1")$" "$GH_FOLDER/not-attested" ;;
  *) echo "gh $what is not known" >&2; exit 9 ;;
esac
`;

let folder = '';
let releases = '';

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'vrypt-steps-'));
  releases = path.join(folder, 'releases');
  for (const name of ['bin', 'releases', 'made']) mkdirSync(path.join(folder, name));
  writeFileSync(path.join(folder, 'bin/gh'), gh);
  chmodSync(path.join(folder, 'bin/gh'), 0o755);
  cpSync(path.join(root, '.github/steps'), path.join(folder, '.github/steps'), { recursive: true });
  const [target] = readTargets().targets.filter(isReady);
  if (target === undefined) throw new TypeError('there is a target');
  const artifact = { ...tarball(target), sha256: sha256('an archive'), bytes: 10 };
  writeFileSync(path.join(folder, 'made', artifact.file), 'an archive');
  const release = {
    head: { commit: 'c0ffeec0ffee', time: 0 },
    facts: { repository: '', previous: undefined },
    whole: [],
  };
  const places = {
    dist: path.join(folder, 'dist'),
    made: ({ file }: { file: string }) => path.join(folder, 'made', file),
  };
  await writeDist([{ target, artifacts: [artifact] }], release, places);
});

afterEach(() => rmSync(folder, { recursive: true }));

function step(name: string, env: Readonly<Record<string, string>> = {}) {
  const { status, stderr, stdout } = spawnSync(path.join('.github/steps', name), {
    cwd: folder,
    encoding: 'utf8',
    env: {
      PATH: `${path.join(folder, 'bin')}:${process.env['PATH']}`,
      TMPDIR: folder,
      GH_FOLDER: releases,
      GH_REPO: 'owner/name',
      TAG: 'v1.2.3',
      PRERELEASE: 'false',
      GITHUB_STEP_SUMMARY: path.join(folder, 'summary'),
      ...env,
    },
  });
  return { status, stderr, stdout };
}

const state = (): string => readFileSync(path.join(releases, 'v1.2.3.state'), 'utf8').trim();

test('draft, verify, publish: everybody gets exactly the files of dist/, but the report', () => {
  expect(step('sign.sh')).toMatchObject({ status: 0, stdout: 'no key: the checksums are not signed\n' });
  expect(step('draft.sh')).toMatchObject({ status: 0, stderr: '' });
  expect(state()).toBe('true');
  expect(step('verify.sh')).toMatchObject({ status: 0, stderr: '' });
  expect(step('publish.sh').status).toBe(0);
  expect(state()).toBe('false');
  expect(readFileSync(path.join(folder, 'summary'), 'utf8')).toMatch(
    /^The draft of v1\.2\.3 was downloaded again: \d+ files, each as it was built and attested\.\n$/,
  );
  expect(readdirSync(path.join(releases, 'v1.2.3')).sort()).toEqual(readdirSync(path.join(folder, 'dist')).sort());
});

test.skipIf(!areInstalled('signatures', { minisign: 'minisign' }))('a signed release carries its signature', () => {
  const key = path.join(folder, 'key');
  execFileSync('minisign', ['-G', '-W', '-f', '-s', key, '-p', `${key}.pub`]);
  expect(step('sign.sh', { MINISIGN_KEY: readFileSync(key, 'utf8') }).status).toBe(0);
  expect(step('draft.sh').status).toBe(0);
  expect(step('verify.sh')).toMatchObject({ status: 0, stderr: '' });
  const release = path.join(releases, 'v1.2.3');
  execFileSync('minisign', ['-V', '-q', '-p', `${key}.pub`, '-m', path.join(release, 'checksums-sha256.txt')]);
});

test('a run that was interrupted is completed by the next one', () => {
  expect(step('draft.sh').status).toBe(0);
  rmSync(path.join(releases, 'v1.2.3/manifest.json'));
  expect(step('draft.sh')).toMatchObject({ status: 0, stdout: expect.stringContaining('is a draft already') });
  expect(step('verify.sh').status).toBe(0);
});

test('what is published is never changed', () => {
  step('draft.sh');
  step('publish.sh');
  expect(step('draft.sh')).toMatchObject({ status: 1, stderr: expect.stringContaining('a release is never changed') });
});

test.each([
  ['a file is missing', () => rmSync(path.join(releases, 'v1.2.3/install.sh'))],
  ['a file is more', () => writeFileSync(path.join(releases, 'v1.2.3/more'), '')],
  ['a file is another', () => writeFileSync(path.join(releases, 'v1.2.3/manifest.json'), '{}')],
  ['an archive is another', () => writeFileSync(path.join(releases, 'v1.2.3', archive()), 'another')],
  ['a file is not attested', () => writeFileSync(path.join(releases, 'not-attested'), 'install.sh\n')],
])('verify sees that %s', (_, change) => {
  step('draft.sh');
  change();
  expect(step('verify.sh').status).not.toBe(0);
});

test('an archive that differs from its checksum is not uploaded', () => {
  writeFileSync(path.join(folder, 'dist', archive()), 'another');
  expect(step('draft.sh').status).not.toBe(0);
  expect(existsSync(path.join(releases, 'v1.2.3'))).toBe(false);
});

function archive(): string {
  return readdirSync(path.join(folder, 'dist')).find((file) => file.endsWith('.tar.gz')) ?? '';
}

test('a release takes only runtimes that its own workflow attested', () => {
  expect(step('runtimes.sh')).toMatchObject({ status: 1, stderr: 'runtimes/ must have runtimes, has none\n' });
  mkdirSync(path.join(folder, 'runtimes/a'), { recursive: true });
  writeFileSync(path.join(folder, 'runtimes/a/node.xz'), '');
  expect(step('runtimes.sh').status).toBe(0);
  writeFileSync(path.join(releases, 'not-attested'), 'node.xz\n');
  expect(step('runtimes.sh').status).not.toBe(0);
});

test('plan: the tag must be the version, and of main or signed', () => {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@localhost', ...args], { cwd: folder, stdio: 'pipe' });
  writeFileSync(path.join(folder, 'package.json'), '{\n  "name": "a",\n  "version": "1.2.3-rc.1",\n}\n');
  git('init', '--quiet', '--initial-branch=main');
  git('add', 'package.json');
  git('commit', '--quiet', '--message=a');
  git('update-ref', 'refs/remotes/origin/main', 'HEAD');
  const output = path.join(folder, 'output');
  const plan = (tag: string) => step('plan.sh', { GITHUB_REF_NAME: tag, GITHUB_OUTPUT: output });
  expect(plan('v1.2.4')).toMatchObject({ status: 1, stderr: expect.stringContaining('the tag must be v1.2.3-rc.1') });
  expect(plan('v1.2.3-rc.1').status).toBe(0);
  expect(readFileSync(output, 'utf8')).toBe('version=1.2.3-rc.1\ntag=v1.2.3-rc.1\nprerelease=true\n');
  git('commit', '--quiet', '--allow-empty', '--message=b');
  git('tag', 'v1.2.3-rc.1');
  expect(plan('v1.2.3-rc.1')).toMatchObject({ status: 1, stderr: expect.stringContaining('must be a commit of main') });
});

test.skipIf(!areInstalled('the style of shell scripts', { shellcheck: 'shellcheck' }))(
  'shellcheck finds nothing in any step',
  () => {
    const scripts = readdirSync(path.join(root, '.github/steps')).map((file) => path.join(root, '.github/steps', file));
    expect(spawnSync('shellcheck', scripts, { encoding: 'utf8' }).stdout).toBe('');
  },
);

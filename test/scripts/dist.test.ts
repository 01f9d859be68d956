import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseChecksums } from '../../scripts/formats/checksums.ts';
import { writeDist } from '../../scripts/steps/dist.ts';
import type { Manifest } from '../../scripts/steps/manifest.ts';
import type { Outcome } from '../../scripts/steps/smoke.ts';
import { sha256 } from '../../scripts/support/hash.ts';
import { tarball } from '../../scripts/targets/artifacts.ts';
import { isReady, readTargets } from '../../scripts/targets/targets.ts';

const [a, b] = readTargets().targets.filter(isReady) as [Outcome['target'], Outcome['target']];
let folder = '';
let dist = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'vrypt-dist-'));
  dist = path.join(folder, 'dist');
});

afterEach(() => rmSync(folder, { recursive: true }));

/** What smoke says of a target whose archive has this content. */
function tried(target: Outcome['target'], content: string): Outcome {
  const artifact = { ...tarball(target), sha256: sha256(content), bytes: content.length };
  writeFileSync(path.join(folder, artifact.file), content);
  return { target, artifacts: [artifact], smoked: { how: 'natively', checks: 1, startMs: 1 } };
}

function release(outcomes: readonly Outcome[], commit = 'c'): Promise<Outcome[]> {
  const release = { head: { commit, time: 0 }, facts: { repository: '', previous: undefined }, whole: [] };
  return writeDist(outcomes, release, { dist, made: ({ file }) => path.join(folder, file) });
}

/** The names in dist/, after having shown that archives, checksums and manifest agree. */
function archives(): string[] {
  const found = readdirSync(dist).sort();
  const files = found.filter((file) => file.endsWith('.tar.gz'));
  const others = ['install.sh', 'manifest.schema.json', 'release-notes.md'];
  const onDisk = [...files, ...others]
    .sort()
    .map((name) => ({ name, sha256: sha256(readFileSync(path.join(dist, name))) }));
  expect(parseChecksums(readFileSync(path.join(dist, 'checksums-sha256.txt'), 'utf8'))).toEqual(onDisk);
  const good = readManifest().targets.filter(({ verdict }) => verdict === 'good');
  const listed = [...good.flatMap((target) => target.files), ...readManifest().files].map(({ file, sha256 }) => ({
    name: file,
    sha256,
  }));
  expect(listed.sort((x, y) => (x.name < y.name ? -1 : 1))).toEqual(onDisk);
  expect(found).toEqual([...files, ...others, 'checksums-sha256.txt', 'manifest.json'].sort());
  return files;
}

function readManifest(): Manifest {
  return JSON.parse(readFileSync(path.join(dist, 'manifest.json'), 'utf8'));
}

test('one target, then another: archives, checksums and manifest have both', async () => {
  await release([tried(a, 'a')]);
  expect(archives()).toEqual([tarball(a).file]);
  await release([tried(b, 'b')]);
  expect(archives()).toEqual([tarball(a).file, tarball(b).file].sort());
});

test('an archive that was overwritten while it was tried is a fault, and gets no final name', async () => {
  const outcomes = [tried(a, 'a'), tried(b, 'b')];
  writeFileSync(path.join(folder, tarball(a).file), 'something else');
  const checked = await release(outcomes);
  expect(checked[0]?.fault).toBe(
    `${tarball(a).file} must still be the file that was tried, SHA-256 ${sha256('a')}, got ${sha256('something else')}`,
  );
  expect(archives()).toEqual([tarball(b).file]);
  expect(readManifest().targets).toMatchObject([{ verdict: 'failed' }, { verdict: 'good' }]);
});

test('a failed target leaves nothing with a final name, not even what was there', async () => {
  await release([tried(a, 'a'), tried(b, 'b')]);
  await release([{ ...tried(a, 'new'), fault: 'it breaks a promise' }]);
  expect(archives()).toEqual([tarball(b).file]);
});

test('what belongs to another commit, or was changed in dist/, does not stay', async () => {
  await release([tried(a, 'a')]);
  await release([tried(b, 'b')], 'another');
  expect(archives()).toEqual([tarball(b).file]);
  writeFileSync(path.join(dist, tarball(b).file), 'changed');
  await release([tried(a, 'a')], 'another');
  expect(archives()).toEqual([tarball(a).file]);
});

test('a changed file in dist/ is put right, and nothing is written where nothing has changed', async () => {
  await release([tried(a, 'a')]);
  writeFileSync(path.join(dist, tarball(a).file), 'changed');
  await release([tried(a, 'a')]);
  expect(archives()).toEqual([tarball(a).file]);
  writeFileSync(path.join(dist, 'foreign'), '');
  rmSync(path.join(dist, 'foreign'));
  const before = execFileSync('stat', ['-c', '%n %i %y', ...readdirSync(dist)], { cwd: dist, encoding: 'utf8' });
  await release([tried(a, 'a')]);
  expect(execFileSync('stat', ['-c', '%n %i %y', ...readdirSync(dist)], { cwd: dist, encoding: 'utf8' })).toBe(before);
});

test('what a killed run has left behind is cleared away', async () => {
  mkdirSync(path.join(dist, '.partial'), { recursive: true });
  writeFileSync(path.join(dist, '.partial', tarball(b).file), 'half');
  await release([tried(a, 'a')]);
  expect(archives()).toEqual([tarball(a).file]);
});

const canMount = process.getuid?.() === 0 && mounts();

function mounts(): boolean {
  const place = mkdtempSync(path.join(tmpdir(), 'vrypt-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place], { stdio: 'ignore' });
    execFileSync('umount', [place]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true });
  }
}

test.skipIf(!canMount)('a full dist/ keeps what it had, and gets no truncated archive', async () => {
  mkdirSync(dist);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dist]);
  try {
    await release([tried(a, 'a')]);
    await expect(release([tried(b, 'b'.repeat(100_000))])).rejects.toThrow(
      `dist/ must have room for ${tarball(b).file}, got ENOSPC: nothing in it has changed`,
    );
    expect(archives()).toEqual([tarball(a).file]);
    expect(existsSync(path.join(dist, '.partial'))).toBe(false);
  } finally {
    execFileSync('umount', [dist]);
  }
});

test('a release from a changed checkout says so in the names of its files', async () => {
  await release([tried(a, 'a')], 'c0ffee-changed');
  expect(archives()).toEqual([tarball(a).file.replace(/-v([\d.]+)/, '-v$1-changed')]);
  expect(readFileSync(path.join(dist, 'install.sh'), 'utf8')).toMatch(/^version='[\d.]+-changed'$/m);
});

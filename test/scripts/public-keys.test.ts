/** Which files of `keys/` sign a release. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { publicKeys } from '../../scripts/steps/release-files.ts';

const key = `RW${'A'.repeat(54)}`;
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'vrypt-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): void {
  writeFileSync(path.join(folder, name), text);
}

test('the second line of each public key of minisign, in the order of their names', () => {
  write('2027.pub', `untrusted comment: minisign public key 2\n${key.replace('A', 'B')}\n`);
  write('2026.pub', `untrusted comment: minisign public key 1\n${key}\n`);
  write('README.md', 'no key');
  expect(publicKeys(folder, true)).toEqual([key, key.replace('A', 'B')]);
  expect(publicKeys(path.join(folder, 'none'), true)).toEqual([]);
});

test('a project that is not ours may keep the keys of other programs there', () => {
  write('deploy.pub', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 deploy\n');
  expect(publicKeys(folder, false)).toEqual([]);
  expect(() => publicKeys(folder, true)).toThrow('keys/deploy.pub must be a public key of minisign');
});

test('a broken key of minisign is refused everywhere', () => {
  write('2026.pub', `untrusted comment: minisign public key 1\n${key.slice(1)}\n`);
  for (const isOwn of [true, false])
    expect(() => publicKeys(folder, isOwn)).toThrow(`its second line is "${key.slice(1)}"`);
});

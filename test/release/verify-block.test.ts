/** The lines by which people check a download, run by the shells that people have. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { notes } from '../../scripts/packaging/notes.ts';
import { program } from '../../scripts/program/program.ts';
import { root } from '../../scripts/support/checkout.ts';
import { sha256 } from '../../scripts/support/hash.ts';
import { artifactsOf, tarball } from '../../scripts/targets/artifacts.ts';
import { readTargets } from '../../scripts/targets/targets.ts';
import { areInstalled } from '../installed.ts';

const { targets } = readTargets();
const musl = targets.find(({ triple }) => triple === 'x86_64-unknown-linux-musl');
const archive = musl === undefined ? '' : tarball(musl).file;
const { name, version } = program;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'vrypt-verify-'));
  const files = targets.flatMap((target) => artifactsOf(target)).map(({ file }) => file);
  put('checksums-sha256.txt', files.map((file) => `${sha256(file)}  ${file}\n`).join(''));
  // Of all that the checksums name, a person has one file.
  put(archive, archive);
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(file: string, text: string): void {
  writeFileSync(path.join(folder, file), text);
}

function block(keys: readonly string[] = []): string {
  const row = { target: musl?.triple ?? '', needs: 'nothing', archive, bytes: 1, before: undefined };
  const text = notes({ name, version, changes: undefined, rows: [row], keys, repository: 'owner/repository' });
  const [, lines = ''] = /```sh\n([^`]+)```/.exec(text) ?? [];
  return lines;
}

/** The line in the text that ends in sha256sum -c. */
function readme(): string {
  const [, line = ''] = /`(grep [^`]*sha256sum -c)`/.exec(readFileSync(path.join(root, 'README.md'), 'utf8')) ?? [];
  return line;
}

const shells = areInstalled('verify blocks', { busybox: 'busybox', minisign: 'minisign' })
  ? [['bash'], ['dash'], ['busybox', 'sh']]
  : [['bash']];

describe.each(shells)('%s %s', (shell, ...more) => {
  function ran(lines: string): { status: number | null; stdout: string; stderr: string } {
    // Attestations are GitHub's: workflow-steps.test.ts plays them.
    const script = `set -e\nsha256sum() { ${shell === 'busybox' ? 'busybox ' : 'command '}sha256sum "$@"; }\ngh() { echo gh "$@"; }\n${lines}`;
    return spawnSync(shell, [...more, '-c', script], { cwd: folder, encoding: 'utf8' });
  }

  test.each([
    ['the README', readme],
    ['the release notes', block],
  ])('the lines of %s accept the file, and refuse another', (_, lines) => {
    expect(ran(lines())).toMatchObject({ status: 0, stdout: expect.stringContaining(`${archive}: OK\n`) });
    put(archive, 'another');
    expect(ran(lines())).toMatchObject({ status: 1, stdout: expect.stringContaining(`${archive}: FAILED\n`) });
  });

  test.skipIf(shells.length === 1)('a signature is checked with our key, and refused from another', () => {
    const key = (which: string): string => {
      spawnSync('minisign', ['-G', '-W', '-f', '-s', `${which}.key`, '-p', `${which}.pub`], { cwd: folder });
      return readFileSync(path.join(folder, `${which}.pub`), 'utf8').split('\n')[1] ?? '';
    };
    const [ours, other] = [key('ours'), key('other')];
    spawnSync('minisign', ['-S', '-s', 'ours.key', '-m', 'checksums-sha256.txt'], { cwd: folder });
    expect(ran(block([ours])).stdout).toMatch(/: OK\nSignature and comment signature verified\n/);
    expect(ran(block([other])).status).not.toBe(0);
  });
});

/** The toolchain as a person gets it: packed, unpacked in another folder, and asked about a program there. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRelease } from '../../scripts/steps/package-release.ts';
import { root } from '../../scripts/support/checkout.ts';
import { isNodeNewEnough } from '../../scripts/support/oldest-node.ts';

const place = mkdtempSync('/tmp/vrypt-toolchain-');
const modules = path.join(place, 'node_modules');

beforeAll(async () => {
  const tarball = await packageRelease();
  mkdirSync(`${modules}/vrypt-release`, { recursive: true });
  spawnSync('tar', ['-xzf', tarball, '-C', `${modules}/vrypt-release`, '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(`${modules}/vrypt-release/package.json`, 'utf8'));
  for (const name of [...Object.keys(dependencies), '@esbuild']) {
    symlinkSync(path.join(root, 'node_modules', name), `${modules}/${name}`);
  }
  writeFileSync(`${place}/package.json`, '{ "name": "there", "version": "2.0.0", "main": "main.js" }');
  writeFileSync(`${place}/main.js`, "console.log('hello');\n");
}, 120_000);
afterAll(() => rmSync(place, { recursive: true }));

function release(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const options = { cwd: place, encoding: 'utf8', env: { ...process.env, XDG_CACHE_HOME: `${place}/cache` } } as const;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`${modules}/vrypt-release/scripts/cli.js`, ...args],
    options,
  );
  return { status, stdout, stderr };
}

test('it plans a program for every target, with nothing but what it depends on', () => {
  const { status, stdout, stderr } = release('plan', '--json');
  expect(status, stderr).toBe(0);
  const { name, version, targets } = JSON.parse(stdout);
  expect({ name, version }).toEqual({ name: 'there', version: '2.0.0' });
  expect(targets.length).toBe(8);
  expect(targets.every((target: { obstacles: unknown[] }) => target.obstacles.length === 0)).toBe(true);
});

test('it releases a program with runtimes from a folder', { timeout: 300_000 }, () => {
  const target = 'x86_64-unknown-linux-musl';
  const from = path.join(root, 'runtimes');
  const { status, stdout, stderr } = release('release', '--target', target, '--from', from, '--json');
  expect(status, stderr).toBe(0);
  const [{ artifacts }] = JSON.parse(stdout);
  const archive = `there-v2.0.0-${target}.tar.gz`;
  expect(artifacts[0].file).toBe(archive);
  expect(readdirSync(`${place}/release`)).toEqual(
    expect.arrayContaining([archive, 'checksums-sha256.txt', 'install.sh', 'manifest.json']),
  );
  spawnSync('tar', ['-xzf', `release/${archive}`], { cwd: place });
  expect(spawnSync(`${place}/there-v2.0.0-${target}/there`, { encoding: 'utf8' }).stdout).toBe('hello\n');
});

test.each([
  ['20.20.2', false],
  ['22.17.9', false],
  ['22.18.0', true],
  ['24.0.0', true],
])('whether Node %s is new enough: %s', (version, isEnough) => {
  expect(isNodeNewEnough(version)).toBe(isEnough);
});

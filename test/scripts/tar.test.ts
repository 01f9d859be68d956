import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { constants, deflateRawSync, gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type Entry, tar, tarGz } from '../../scripts/formats/tar.ts';

const time = Date.UTC(2026, 10, 21) / 1000;
const entries: readonly Entry[] = [
  { name: 'vrypt-server', mode: 0o755, data: Buffer.from('program') },
  { name: 'LICENSE', mode: 0o644, data: Buffer.from('a'.repeat(513)) },
  { name: 'folder/README.md', mode: 0o644, data: Buffer.alloc(512, 'b') },
  { name: 'folder/', mode: 0o755 },
];

test('neither the order of the files nor the time of packing matters', async () => {
  const one = await tarGz(entries, time);
  const two = await tarGz([...entries].reverse(), time);
  expect(two.equals(one)).toBe(true);
});

test('the gzip header has no name, no time and no system', async () => {
  const packed = await tarGz(entries, time);
  expect([...packed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, expect.any(Number), 255]);
});

test('tar reads back names, modes, owner, time and contents', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-tar-'));
  try {
    const file = path.join(folder, 'a.tar.gz');
    writeFileSync(file, await tarGz(entries, time));
    const list = execFileSync('tar', ['--numeric-owner', '--utc', '-tvzf', file], { encoding: 'utf8' });
    expect(
      list
        .trim()
        .split('\n')
        .map((line) => line.replace(/ +/g, ' ')),
    ).toEqual([
      '-rw-r--r-- 0/0 513 2026-11-21 00:00 LICENSE',
      'drwxr-xr-x 0/0 0 2026-11-21 00:00 folder/',
      '-rw-r--r-- 0/0 512 2026-11-21 00:00 folder/README.md',
      '-rwxr-xr-x 0/0 7 2026-11-21 00:00 vrypt-server',
    ]);
    expect(execFileSync('tar', ['-xOzf', file, 'vrypt-server'], { encoding: 'utf8' })).toBe('program');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the archive is whole blocks and ends with two empty ones', async () => {
  const plain = gunzipSync(await tarGz(entries, time));
  expect(plain.length % 512).toBe(0);
  expect(plain.subarray(-1024).every((byte) => byte === 0)).toBe(true);
});

test('refuses a name that the format cannot hold', () => {
  expect(() => tar([{ name: 'n'.repeat(101), mode: 0o644, data: Buffer.alloc(0) }], time)).toThrow(/at most 100 bytes/);
});

test('what is large is compressed in pieces, once for all archives that hold it, and reads back as it was', async () => {
  const large = randomBytes(9_000_000);
  const [one, two] = await Promise.all([
    tarGz([...entries, { name: 'large', mode: 0o755, data: large }], time),
    tarGz([{ name: 'large', mode: 0o755, data: large }], time),
  ]);
  expect(gunzipSync(one).includes(large)).toBe(true);
  expect(
    gunzipSync(two)
      .subarray(512, 512 + large.length)
      .equals(large),
  ).toBe(true);
  // What is compressed of it is the same in both.
  const piece = deflateRawSync(large.subarray(0, 8 << 20), {
    level: 9,
    memLevel: 9,
    finishFlush: constants.Z_FULL_FLUSH,
  });
  expect(one.includes(piece) && two.includes(piece)).toBe(true);
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'vrypt-tar-')), 'a.tar.gz');
  writeFileSync(file, one);
  execFileSync('gzip', ['--test', file]);
  rmSync(path.dirname(file), { recursive: true });
});

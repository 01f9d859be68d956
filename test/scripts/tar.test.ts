import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { deflatePiece, pieceSize } from '../../scripts/formats/gzip.ts';
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

test('what is large is compressed in pieces, of which some may be known, once for all archives that hold it', async () => {
  const large = randomBytes(2.5 * pieceSize);
  const asked: number[] = [];
  const deflate = (piece: Uint8Array): Promise<Uint8Array> => {
    asked.push(piece.length);
    return deflatePiece(piece);
  };
  const packed = await tarGz([...entries, { name: 'large', mode: 0o755, data: large }], time, deflate);
  const other = await tarGz([{ name: 'large', mode: 0o755, data: large }], time, deflate);
  expect(asked).toEqual([pieceSize, pieceSize, pieceSize / 2]);
  expect(gunzipSync(packed).includes(large)).toBe(true);
  expect(gunzipSync(other).includes(large)).toBe(true);
  // The same bytes, whoever compresses them.
  expect(packed.equals(await tarGz([...entries, { name: 'large', mode: 0o755, data: Buffer.from(large) }], time))).toBe(
    true,
  );
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'vrypt-tar-')), 'a.tar.gz');
  writeFileSync(file, packed);
  execFileSync('gzip', ['--test', file]);
  rmSync(path.dirname(file), { recursive: true });
});

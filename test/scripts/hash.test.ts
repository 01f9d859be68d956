import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { sha256, sha256File, sha256FileSync, sha256FilesSync } from '../../scripts/support/hash.ts';

const size = 2 << 20;

function large(byte: number): { file: string; write: (other: number) => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-hash-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'a');
  const write = (other: number) => writeFileSync(file, Buffer.alloc(size, other));
  write(byte);
  return { file, write };
}

const hashOf = (byte: number): string => sha256(Buffer.alloc(size, byte));

test('a large file that was read before and has changed since is read again, whatever its times say', async () => {
  const { file, write } = large(1);
  utimesSync(file, 1, 1);
  // Older than a tick of the kernel's clock, so that it is remembered.
  await pause(150);
  expect(await sha256File(file)).toBe(hashOf(1));
  expect(sha256FileSync(file)).toBe(hashOf(1));
  write(2);
  utimesSync(file, 1, 1);
  expect(await sha256File(file)).toBe(hashOf(2));
});

test('so is one that takes the place of another', async () => {
  const { file } = large(1);
  await pause(150);
  expect(await sha256File(file)).toBe(hashOf(1));
  const other = `${file}.new`;
  writeFileSync(other, Buffer.alloc(size, 3));
  renameSync(other, file);
  expect(sha256FileSync(file)).toBe(hashOf(3));
});

test('what has just been written is not remembered', async () => {
  const { file, write } = large(1);
  for (let byte = 2; byte < 12; byte++) {
    write(byte);
    expect(await sha256File(file)).toBe(hashOf(byte));
  }
});

test('of a folder, every file counts, by its name and its content, also when all are remembered', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-hash-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ['a', 'b']) writeFileSync(path.join(folder, name), name);
  await pause(150);
  const both = sha256(`${sha256('a')}  a\n${sha256('b')}  b`);
  expect(sha256FilesSync(folder, ['a', 'b'])).toBe(both);
  expect(sha256FilesSync(folder, ['a', 'b'])).toBe(both);
  expect(sha256FilesSync(folder, ['a'])).toBe(sha256(`${sha256('a')}  a`));
  writeFileSync(path.join(folder, 'b'), 'c');
  utimesSync(path.join(folder, 'b'), 1, 1);
  expect(sha256FilesSync(folder, ['a', 'b'])).toBe(sha256(`${sha256('a')}  a\n${sha256('c')}  b`));
});

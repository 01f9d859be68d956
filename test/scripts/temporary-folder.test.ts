import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { withTemporaryFolder } from '../../scripts/support/temporary-folder.ts';

test('the folder is private, and removed after the work, whether it succeeded or failed', async () => {
  const folders: string[] = [];
  const work = async (folder: string): Promise<void> => {
    folders.push(folder);
    writeFileSync(path.join(folder, 'file'), 'x', { flag: 'wx' });
  };
  await withTemporaryFolder(work);
  await expect(
    withTemporaryFolder((folder) => work(folder).then(() => Promise.reject(new Error('no')))),
  ).rejects.toThrow('no');
  expect(new Set(folders).size).toBe(2);
  expect(folders.filter(existsSync)).toEqual([]);
});

test('its path has the same length every time, because executables contain it', async () => {
  const lengths = new Set<number>();
  for (let i = 0; i < 5; i++) await withTemporaryFolder(async (folder) => void lengths.add(folder.length));
  expect(lengths.size).toBe(1);
});

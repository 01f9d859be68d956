import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checksumLines, parseChecksums } from '../../scripts/formats/checksums.ts';
import { sha256, sha256File } from '../../scripts/support/hash.ts';
import { counted } from '../../scripts/support/progress.ts';

test('sha256sum -c accepts the file', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-sums-'));
  try {
    const names = ['b.tar.gz', 'a.tar.gz'];
    for (const name of names) writeFileSync(path.join(folder, name), `contents of ${name}`);
    const files = names.map((name) => ({ name, sha256: sha256(`contents of ${name}`) }));
    writeFileSync(path.join(folder, 'sums'), checksumLines(files));
    const said = execFileSync('sha256sum', ['-c', '--strict', 'sums'], { cwd: folder, encoding: 'utf8' });
    expect(said).toBe('a.tar.gz: OK\nb.tar.gz: OK\n');
    expect(await sha256File(path.join(folder, 'a.tar.gz'))).toBe(files[1]?.sha256);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the lines are read back, and anything else is ignored', () => {
  const files = [
    { name: 'a.tar.gz', sha256: sha256('a') },
    { name: 'b.tar.gz', sha256: sha256('b') },
  ];
  expect(parseChecksums(`# comment\n${checksumLines(files)}`)).toEqual(files);
});

test('one archive is not "1 archives"', () => {
  expect([0, 1, 2].map((count) => counted(count, 'archive'))).toEqual(['0 archives', '1 archive', '2 archives']);
});

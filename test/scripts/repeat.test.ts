import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences } from '../../scripts/commands/repeat.ts';
import { sha256 } from '../../scripts/support/hash.ts';
import { artifactPath } from '../../scripts/targets/artifacts.ts';

const file = 'repeat-under-test';
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'vrypt-repeat-'));
  mkdirSync(path.dirname(artifactPath({ file })), { recursive: true });
  writeFileSync(artifactPath({ file }), 'made once');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(artifactPath({ file }));
});

test.each([
  ['made once', undefined],
  ['made oncE', /^repeat-under-test must be the same .* got [0-9a-f]{64}: another byte at 8$/],
  ['made once more', /: 14 bytes instead of 9$/],
])('made again as "%s": %s', (text, fault) => {
  writeFileSync(path.join(folder, file), text);
  const found = differences([{ file, sha256: sha256('made once') }], (name) => path.join(folder, name));
  expect(found).toEqual(fault === undefined ? [] : [expect.stringMatching(fault)]);
});

test('a file that is not made again is named', () => {
  expect(differences([{ file, sha256: '' }], () => path.join(folder, 'nowhere'))).toEqual([
    'repeat-under-test must be made again, it was not',
  ]);
});

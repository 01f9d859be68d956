/** Prose must not go out of date with the next change: it contains no counts that code knows. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/support/checkout.ts';

// Not the changelog, which is history, and not the wire cases, whose numbers describe what is sent.
const listed = execFileSync('git', ['ls-files', '-z', '*.md', ':!CHANGELOG.md', ':!test/cases'], {
  cwd: root,
  encoding: 'utf8',
});
const documents = listed.split('\0').filter((file) => file !== '' && existsSync(path.join(root, file)));
const numbers =
  '(?:\\d[\\d,]*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|twenty)';
const things =
  'targets|runtimes|cases|checks|tests|proofs|steps|documents|options|architectures|formats|patches|guards';
const counted = new RegExp(`\\b${numbers} (?:${things})\\b`, 'gi');

test.each(documents)('%s contains no counts that must be edited by hand', (file) => {
  const text = readFileSync(path.join(root, file), 'utf8');
  expect(text.match(counted) ?? []).toEqual([]);
});

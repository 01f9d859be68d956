/** What people read is not out of date after the next change: counts that code knows are not written by hand. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/support/checkout.ts';

const documents = ['README.md', 'scripts/README.md', 'runtimes/README.md', 'test/README.md'];
const numbers = '(?:\\d[\\d,]*|two|three|four|five|six|seven|eight|nine|ten|twelve|sixteen)';
const counted = new RegExp(`\\b${numbers} (?:targets|runtimes|cases|checks|tests|proofs|steps|documents)\\b`, 'gi');

test.each(documents)('%s counts nothing that must be edited by hand', (file) => {
  const text = readFileSync(path.join(root, file), 'utf8');
  expect(text.match(counted) ?? []).toEqual([]);
});

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { archiveReadme } from '../../scripts/program/archive-readme.ts';
import { program } from '../../scripts/program/program.ts';
import { root } from '../../scripts/support/checkout.ts';
import { archiveEntries } from '../../scripts/targets/artifacts.ts';
import { OPTION_ROWS } from '../../src/cli/settings.ts';

const template = readFileSync(path.join(root, program.readme ?? ''), 'utf8');

test('every placeholder gets its value, and one without a value is a bug', () => {
  expect(archiveReadme('{{a}} and {{b}}, {{a}}', { a: '1', b: '2' })).toBe('1 and 2, 1');
  expect(() => archiveReadme('{{c}}', { a: '1' })).toThrow('{{c}}');
});

test('it links only to files in the archive, and lists all of them', () => {
  const links = [...template.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1] ?? '');
  for (const link of links) expect(archiveEntries).toContain(link);
  for (const name of archiveEntries) expect(template).toContain(`\`${name}\``);
});

test('it names only options that the program has', () => {
  const known = [...OPTION_ROWS.map(({ name }) => `--${name}`), '--help'];
  const run = template.split('\n').filter((line) => !line.includes('docker') && !line.includes('--volume'));
  for (const [option] of run.join('\n').matchAll(/--[a-z][a-z-]+/g)) expect(known).toContain(option);
});

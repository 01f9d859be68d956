import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readElf } from '../../scripts/elf.ts';
import type { BuildRecord } from '../../scripts/runtime/finish.ts';
import { RUNTIMES } from '../../scripts/runtime/paths.ts';
import { PLATFORMS } from '../../scripts/runtime/platforms.ts';
import { findSource } from '../../scripts/runtime/sources.ts';
import { runtimesTable, tableInReadme } from '../../scripts/runtime/table.ts';
import { readTargets } from '../../scripts/targets.ts';

const isOurs = (triple: string) => {
  const file = join(RUNTIMES, triple, 'BUILD.json');
  return existsSync(file) && 'checks' in JSON.parse(readFileSync(file, 'utf8'));
};

describe.each(PLATFORMS.filter(({ triple }) => isOurs(triple)))('runtimes/$triple', (platform) => {
  const folder = join(RUNTIMES, platform.triple);
  const record: BuildRecord = JSON.parse(readFileSync(join(folder, 'BUILD.json'), 'utf8'));

  test('holds the executable of its record, for its machine', () => {
    const bytes = execFileSync('xz', ['-dc', join(folder, 'node.xz')], { maxBuffer: 1 << 28 });
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(record.sha256);
    expect(bytes.length).toBe(record.size);
    expect(readElf(bytes)).toMatchObject({ machine: platform.elf.machine, interpreter: platform.elf.interpreter });
  });

  test('is the Node of sources.json and passed its checks', () => {
    expect(record.node).toBe(findSource('node').version);
    expect(record.checks).toEqual(expect.arrayContaining(['ignores NODE_OPTIONS', 'runs with a SEA blob inside']));
  });

  test('is what targets.json pins', () => {
    const { runtime } = readTargets().targets.find((target) => target.triple === platform.triple) ?? {};
    if (runtime?.kind === 'folder') expect(runtime.sha256).toBe(record.sha256);
  });

  test('says nothing about the machine that built it', () => {
    const text = readFileSync(join(folder, 'BUILD.json'), 'utf8');
    expect(text).not.toMatch(/\/(root|home|work|tmp)\//);
  });
});

test('runtimes/ holds only targets of ours, each with its licences', () => {
  const folders = readdirSync(RUNTIMES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const triples = PLATFORMS.map((platform) => platform.triple);
  for (const { name } of folders) expect(triples).toContain(name);
  expect(readFileSync(join(RUNTIMES, 'LICENSES.txt'), 'utf8')).toContain('OpenSSL');
});

test('the table in runtimes/README.md is what the records say', () => {
  expect(tableInReadme()).toBe(runtimesTable());
});

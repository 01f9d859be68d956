import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readElf } from '../../scripts/formats/elf.ts';
import { runtimes } from '../../scripts/runtime/paths.ts';
import { type BuildRecord, isPublished } from '../../scripts/runtime/publish-runtime.ts';
import { runtimesTable, tableInReadme } from '../../scripts/runtime/table.ts';
import { findSource } from '../../scripts/sources/sources.ts';
import { isReady, readTargets } from '../../scripts/targets/targets.ts';

const { targets } = readTargets();

describe.each(targets.filter(isReady))('runtimes/$triple', (target) => {
  const folder = join(runtimes, target.triple);
  const record: BuildRecord = JSON.parse(readFileSync(join(folder, 'BUILD.json'), 'utf8'));

  test('contains the executable that its record describes, for its machine', () => {
    const bytes = execFileSync('xz', ['-dc', join(folder, 'node.xz')], { maxBuffer: 1 << 28 });
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(record.sha256);
    expect(bytes.length).toBe(record.size);
    expect(readElf(bytes)).toMatchObject({ machine: target.architecture.elf.machine, interpreter: target.interpreter });
  });

  test('is the Node of sources.json, and has passed its checks', () => {
    expect(record.node).toBe(findSource('node').version);
    expect(record.checks).toEqual(expect.arrayContaining(['ignores NODE_OPTIONS', 'runs with a SEA blob inside']));
  });

  test('is what targets.json pins', () => expect(target.runtime.sha256).toBe(record.sha256));

  test('is rewritten only if the executable differs', async () => {
    expect(await isPublished(folder, record.sha256)).toBe(true);
    expect(await isPublished(folder, '0'.repeat(64))).toBe(false);
  });

  test('says nothing about the machine that built it', () => {
    const text = readFileSync(join(folder, 'BUILD.json'), 'utf8');
    expect(text).not.toMatch(/\/(root|home|work|tmp)\//);
  });
});

test('runtimes/ has folders only for targets, and the licenses of everything', () => {
  const folders = readdirSync(runtimes, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const triples = targets.map(({ triple }) => triple);
  for (const { name } of folders) expect(triples).toContain(name);
  expect(readFileSync(join(runtimes, 'LICENSES.txt'), 'utf8')).toContain('OpenSSL');
});

test('the table in runtimes/README.md matches the records', () => {
  expect(tableInReadme()).toBe(runtimesTable());
});

import { describe, expect, test } from 'vitest';
import { allSources, fileOf, sourcesFor } from '../../scripts/sources/sources.ts';
import { readTargets } from '../../scripts/targets/targets.ts';

describe.each(allSources.map((source) => [source.name, source] as const))('%s', (_, source) => {
  test('is pinned by SHA-256 and size', () => {
    expect(source.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(source.size).toBeGreaterThan(1000);
  });

  test('has a license', () => {
    expect(source.license).toMatch(/^[A-Za-z0-9.+ -]+$/);
  });

  test('comes from one archive, or for Debian also from one that never drops a version', () => {
    expect([source.debian, source.npm].filter(Boolean)).toHaveLength(1);
    if (source.debian !== undefined) {
      expect(source.debian).toMatch(/^pool\/main\//);
      expect(source.fallbackUrl).toMatch(/^https:\/\/snapshot\.debian\.org\/file\/[0-9a-f]{40}$/);
    } else expect(source.npm).toBe(`${source.name}@${source.version}`);
  });
});

test('no two sources share a name or a file', () => {
  expect(new Set(allSources.map((source) => source.name)).size).toBe(allSources.length);
  expect(new Set(allSources.map(fileOf)).size).toBe(allSources.length);
});

describe.each(readTargets().targets)('$triple', (target) => {
  const names = sourcesFor(target).map((source) => source.name);

  test('uses one C library, its own', () => {
    const libcs = names.filter((name) => /^(musl|libc6)-(?!dev)/.test(name));
    expect(libcs).toEqual([`${target.libc === 'musl' ? 'musl' : 'libc6'}-${target.architecture.debian}`]);
  });

  test('uses one set of kernel headers', () => {
    expect(names.filter((name) => name.startsWith('linux-headers'))).toHaveLength(1);
  });
});

test('an npm archive has the name that npm pack gives it', () => {
  const named = (npm: string) => fileOf({ npm } as never);
  expect(named('undici@7.29.1')).toBe('undici-7.29.1.tgz');
  expect(named('@nozbe/simdjson@3.9.4')).toBe('nozbe-simdjson-3.9.4.tgz');
});

import { describe, expect, test } from 'vitest';
import { PLATFORMS } from '../../scripts/runtime/platforms.ts';
import { ALL_SOURCES, fileOf, sourcesFor } from '../../scripts/runtime/sources.ts';

describe.each(ALL_SOURCES.map((source) => [source.name, source] as const))('%s', (_, source) => {
  test('is pinned by SHA-256 and size', () => {
    expect(source.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(source.size).toBeGreaterThan(1000);
  });

  test('has a licence', () => {
    expect(source.licence).toMatch(/^[A-Za-z0-9.+ -]+$/);
  });

  test('has one first place, and Debian’s a second that never drops a version', () => {
    expect([source.debian, source.npm].filter(Boolean)).toHaveLength(1);
    if (source.debian !== undefined) {
      expect(source.debian).toMatch(/^pool\/main\//);
      expect(source.second).toMatch(/^https:\/\/snapshot\.debian\.org\/file\/[0-9a-f]{40}$/);
    } else expect(source.npm).toBe(`${source.name}@${source.version}`);
  });
});

test('no two sources share a name or a file', () => {
  expect(new Set(ALL_SOURCES.map((source) => source.name)).size).toBe(ALL_SOURCES.length);
  expect(new Set(ALL_SOURCES.map(fileOf)).size).toBe(ALL_SOURCES.length);
});

describe.each(PLATFORMS.map((platform) => [platform.triple, platform] as const))('%s', (_, platform) => {
  const names = sourcesFor(platform).map((source) => source.name);

  test('takes one C library: its own', () => {
    const libcs = names.filter((name) => /^(musl|libc6)-(?!dev)/.test(name));
    expect(libcs).toEqual([`${platform.libc === 'musl' ? 'musl' : 'libc6'}-${platform.debian}`]);
  });

  test('takes one set of kernel headers', () => {
    expect(names.filter((name) => name.startsWith('linux-headers'))).toHaveLength(1);
  });
});

test('an npm archive has the name that npm pack gives it', () => {
  const named = (npm: string) => fileOf({ npm } as never);
  expect(named('undici@7.29.1')).toBe('undici-7.29.1.tgz');
  expect(named('@nozbe/simdjson@3.9.4')).toBe('nozbe-simdjson-3.9.4.tgz');
});

import { describe, expect, test } from 'vitest';
import { cgroupLimits, cgroupThreads, type ReadFile } from '../../src/cli/cgroup.ts';

const MIB = 1024 ** 2;
const NONE = Number.POSITIVE_INFINITY;

/** The files of a machine, by path. */
function files(table: Readonly<Record<string, string>>): ReadFile {
  return (path) => table[path] ?? null;
}

const V2_MOUNT =
  '30 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';
const V1_MOUNTS = `21 26 0:20 / /proc rw,relatime - proc proc rw
32 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
34 30 0:31 / /sys/fs/cgroup/memory rw,relatime shared:10 - cgroup cgroup rw,memory
38 30 0:35 / /sys/fs/cgroup/pids rw,relatime shared:11 - cgroup cgroup rw,pids
39 30 0:36 / /sys/fs/cgroup/systemd rw,relatime shared:12 - cgroup cgroup rw,name=systemd
40 30 0:37 / /sys/fs/cgroup/unified rw,relatime shared:13 - cgroup2 cgroup2 rw
`;

describe('version 2', () => {
  test.for([
    ['its own quota', { 'a/b/cpu.max': '150000 100000\n' }, { cpus: 1.5, memory: NONE }],
    ['no quota', { 'a/b/cpu.max': 'max 100000\n', 'a/b/memory.max': 'max\n' }, { cpus: NONE, memory: NONE }],
    [
      "a parent's quota",
      { 'a/cpu.max': '50000 100000\n', 'a/b/cpu.max': '400000 100000\n' },
      { cpus: 0.5, memory: NONE },
    ],
    ['memory.max', { 'a/b/memory.max': `${64 * MIB}\n` }, { cpus: NONE, memory: 64 * MIB }],
    [
      'a lower memory.high',
      { 'a/b/memory.max': `${64 * MIB}\n`, 'a/b/memory.high': `${48 * MIB}\n` },
      { cpus: NONE, memory: 48 * MIB },
    ],
    [
      "a grandparent's memory",
      { 'memory.max': `${32 * MIB}\n`, 'a/b/memory.max': `${64 * MIB}\n` },
      { cpus: NONE, memory: 32 * MIB },
    ],
  ] as const)('counts %s', ([, limits, expected]) => {
    const table = Object.fromEntries(Object.entries(limits).map(([name, text]) => [`/sys/fs/cgroup/${name}`, text]));
    const read = files({ '/proc/self/cgroup': '0::/a/b\n', '/proc/self/mountinfo': V2_MOUNT, ...table });
    expect(cgroupLimits(read)).toEqual(expected);
  });

  test('finds the group of a container that sees only its own part of the hierarchy', () => {
    const read = files({
      '/proc/self/cgroup': '0::/docker/abc\n',
      '/proc/self/mountinfo': V2_MOUNT.replace(' / /sys', ' /docker/abc /sys'),
      '/sys/fs/cgroup/cpu.max': '200000 100000\n',
    });
    expect(cgroupLimits(read).cpus).toBe(2);
  });

  test('finds the group of a process that was moved out of its namespace', () => {
    const read = files({
      '/proc/self/cgroup': '0::/../other\n',
      '/proc/self/mountinfo': V2_MOUNT,
      '/sys/fs/cgroup/cpu.max': '200000 100000\n',
    });
    expect(cgroupLimits(read).cpus).toBe(2);
  });

  test('reads a mount point with a space in it', () => {
    const read = files({
      '/proc/self/cgroup': '0::/\n',
      '/proc/self/mountinfo': V2_MOUNT.replace('/sys/fs/cgroup', '/my\\040groups'),
      '/my groups/memory.max': '1000\n',
    });
    expect(cgroupLimits(read).memory).toBe(1000);
  });

  test('uses the lowest limit on threads on the way up', () => {
    const read = files({
      '/proc/self/cgroup': '0::/a/b\n',
      '/proc/self/mountinfo': V2_MOUNT,
      '/sys/fs/cgroup/a/pids.max': '7\n',
      '/sys/fs/cgroup/a/b/pids.max': 'max\n',
    });
    expect(cgroupThreads(read)).toBe(7);
  });
});

describe('version 1', () => {
  const base = {
    '/proc/self/cgroup': '9:name=systemd:/\n8:pids:/p\n4:memory:/m/n\n2:cpu,cpuacct:/c\n0::/\n',
    '/proc/self/mountinfo': V1_MOUNTS,
  };

  test('reads quota over period, memory and threads, each from its own hierarchy', () => {
    const read = files({
      ...base,
      '/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us': '250000\n',
      '/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/m/n/memory.limit_in_bytes': `${256 * MIB}\n`,
      '/sys/fs/cgroup/pids/p/pids.max': '20\n',
    });
    expect(cgroupLimits(read)).toEqual({ cpus: 2.5, memory: 256 * MIB });
    expect(cgroupThreads(read)).toBe(20);
  });

  test('applies the limit of a parent', () => {
    const read = files({
      ...base,
      '/sys/fs/cgroup/memory/m/n/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/memory/m/memory.limit_in_bytes': `${64 * MIB}\n`,
    });
    expect(cgroupLimits(read).memory).toBe(64 * MIB);
  });

  test.for(['9223372036854771712', '9223372036854710272'])('takes %s bytes and a quota of -1 for no limit', (bytes) => {
    const read = files({
      ...base,
      '/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/m/n/memory.limit_in_bytes': `${bytes}\n`,
    });
    expect(cgroupLimits(read)).toEqual({ cpus: NONE, memory: NONE });
  });
});

test('finds no limit without /proc', () => {
  expect(cgroupLimits(files({}))).toEqual({ cpus: NONE, memory: NONE });
  expect(cgroupThreads(files({}))).toBe(NONE);
});

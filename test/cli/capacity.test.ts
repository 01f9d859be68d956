import { describe, expect, test } from 'vitest';
import { type Machine, planCapacity, type Wishes } from '../../src/cli/capacity.ts';

const MIB = 1024 ** 2;
const NONE = Number.POSITIVE_INFINITY;

const WISHES: Wishes = { workers: 'auto', isolation: 'thread', maxConnections: 65_536, maxConnectionsLabel: null };
const MACHINE: Machine = {
  cores: 8,
  cgroup: { cpus: NONE, memory: NONE },
  openFiles: 1_048_576,
  openNow: 21,
  addressSpace: NONE,
  addressSpaceNow: 0,
};

function plan(wishes: Partial<Wishes>, machine: Partial<Machine>) {
  return planCapacity({ ...WISHES, ...wishes }, { ...MACHINE, ...machine });
}

describe('auto', () => {
  test.for([
    ['one worker for each core', {}, 8],
    ['the CPU quota, rounded down', { cgroup: { cpus: 2.5, memory: NONE } }, 2],
    ['one worker for less than a CPU', { cgroup: { cpus: 0.2, memory: NONE } }, 1],
    ['what 16 MiB of memory hold', { cgroup: { cpus: NONE, memory: 16 * MIB } }, 1],
    ['what 64 MiB of memory hold', { cgroup: { cpus: NONE, memory: 64 * MIB } }, 3],
    ['what 128 MiB of memory hold', { cgroup: { cpus: NONE, memory: 128 * MIB } }, 7],
  ] as const)('takes %s', ([, machine, workers]) => {
    expect(plan({}, machine)).toEqual({ workers, maxConnections: 65_536, notes: [] });
  });
});

test('a number of workers that was typed is used whatever the cores, quota and memory', () => {
  const machine = { cores: 1, cgroup: { cpus: 1, memory: 16 * MIB } };
  expect(plan({ workers: 4 }, machine)).toMatchObject({ workers: 4, notes: [] });
});

describe('open files', () => {
  test('allow one connection per descriptor that the workers leave, minus a few to spare', () => {
    expect(plan({ workers: 64 }, { openFiles: 1024 })).toEqual({
      workers: 64,
      maxConnections: 1024 - 21 - 2 - 63 * 7 - 40,
      notes: ['the limit on open files (ulimit -n 1024) allows 520 connections at once'],
    });
  });

  test('are not mentioned if 1,000 connections fit and no more were asked for', () => {
    expect(plan({ workers: 1 }, { openFiles: 2000 })).toEqual({ workers: 1, maxConnections: 1937, notes: [] });
  });

  test('are mentioned if fewer connections fit than were asked for', () => {
    const wishes = { workers: 1, maxConnections: 5000, maxConnectionsLabel: 'VRYPT_MAX_CONNECTIONS' };
    expect(plan(wishes, { openFiles: 2000 }).notes).toEqual([
      'the limit on open files (ulimit -n 2000) allows 1937 connections instead of VRYPT_MAX_CONNECTIONS 5000',
    ]);
  });

  test.for([
    [30, 2, 1, 6],
    [48, 2, 2, 14],
    [48, 4, 2, 14],
    [256, 16, 16, 96],
  ] as const)('at ulimit -n %i, %i workers become %i with %i connections', ([openFiles, asked, workers, fitting]) => {
    expect(plan({ workers: asked }, { openFiles })).toMatchObject({ workers, maxConnections: fitting });
  });

  test('name the minimum if not even one connection fits', () => {
    expect(() => plan({}, { openFiles: 22 })).toThrow(
      'the limit on open files must be at least 24 (ulimit -n), got 22',
    );
    expect(plan({}, { openFiles: 24 })).toMatchObject({ workers: 1, maxConnections: 1 });
  });
});

test('address space limits the workers, because V8 ends the process if it cannot reserve a heap', () => {
  const machine = { addressSpace: 1024 * MIB, addressSpaceNow: 1000 * MIB };
  expect(plan({ workers: 4 }, machine)).toMatchObject({
    workers: 1,
    notes: ['the limit on address space (ulimit -v 1048576) allows 1 worker instead of 4'],
  });
});

describe('processes', () => {
  test('have a limit on open files each, and share the limit on connections', () => {
    expect(plan({ workers: 4, isolation: 'process' }, { openFiles: 1024 })).toEqual({
      workers: 4,
      maxConnections: 4 * (1024 - 21 - 2 - 40),
      notes: [],
    });
  });

  test('are as many as memory holds if they are counted automatically', () => {
    const machine = { cgroup: { cpus: NONE, memory: 128 * MIB } };
    expect(plan({ isolation: 'process' }, machine)).toMatchObject({ workers: 4 });
  });

  test('each take descriptors of their manager', () => {
    const { workers, notes } = plan({ workers: 64, isolation: 'process' }, { openFiles: 100 });
    expect(workers).toBe(31);
    expect(notes[0]).toBe('the limit on open files (ulimit -n 100) allows 31 workers instead of 64');
  });
});

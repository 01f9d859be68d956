import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { highestGlibc, isNewer, readElf } from '../../scripts/formats/elf.ts';
import { Failure } from '../../scripts/support/errors.ts';

const isLinux = process.platform === 'linux' && process.arch === 'x64';

describe.runIf(isLinux)('the Node that runs this test', () => {
  const elf = readElf(readFileSync(process.execPath));

  test('is a 64-bit x86_64 file with an interpreter', () => {
    expect(elf).toMatchObject({ class: 64, machine: 'x86_64', interpreter: '/lib64/ld-linux-x86-64.so.2' });
  });

  test('names the libraries it needs', () => {
    expect(elf.needed).toEqual(expect.arrayContaining(['libc.so.6', 'libstdc++.so.6']));
  });

  test('requires glibc 2.28, as its makers say', () => {
    expect(highestGlibc(elf.versionsRequired)).toBe('2.28');
  });

  test('has no memory that is both writable and executable', () => {
    expect(elf.writableCode).toEqual([]);
  });

  test('has a symbol table and a build id', () => {
    expect(elf.hasSymbolTable).toBe(true);
    expect(elf.notes.map((note) => note.name)).toContain('GNU');
  });
});

test.runIf(isLinux)('a static program needs nothing and names no interpreter', () => {
  const program = createRequire(import.meta.url).resolve('@esbuild/linux-x64/bin/esbuild');
  expect(readElf(readFileSync(program))).toMatchObject({ interpreter: null, needed: [], versionsRequired: [] });
});

test('a 32-bit header is read with words of 4 bytes', () => {
  const file = Buffer.alloc(52 + 32 + 32);
  file.write('\x7fELF\x01\x01\x01', 'latin1');
  file.writeUInt16LE(40, 18);
  file.writeUInt32LE(52, 28);
  file.writeUInt16LE(32, 42);
  file.writeUInt16LE(1, 44);
  file.writeUInt32LE(3, 52);
  file.writeUInt32LE(84, 56);
  file.writeUInt32LE(25, 52 + 16);
  file.write('/lib/ld-linux-armhf.so.3', 84);
  expect(readElf(file).writableCode).toEqual(['the stack']);
  expect(readElf(file)).toMatchObject({ class: 32, machine: 'arm', interpreter: '/lib/ld-linux-armhf.so.3' });
});

test.each([
  ['text', Buffer.from('#!/bin/sh\n'.repeat(10)), 'not an ELF file'],
  ['an empty file', Buffer.alloc(0), 'not an ELF file'],
  [
    'a big-endian file',
    Buffer.concat([Buffer.from('\x7fELF\x02\x02\x01', 'latin1'), Buffer.alloc(64)]),
    'little-endian',
  ],
  [
    'a class that does not exist',
    Buffer.concat([Buffer.from('\x7fELF\x03\x01\x01', 'latin1'), Buffer.alloc(64)]),
    'class',
  ],
])('refuses %s', (_, file, message) => {
  expect(() => readElf(file)).toThrow(Failure);
  expect(() => readElf(file)).toThrow(message);
});

test('versions are compared as numbers, not as text', () => {
  expect(highestGlibc(['GLIBC_2.4', 'GLIBC_2.17', 'GLIBC_2.2.5', 'GLIBCXX_3.4.25', 'GLIBC_PRIVATE'])).toBe('2.17');
  expect(isNewer('2.31', '2.4')).toBe(true);
  expect(isNewer('2.31', '2.31')).toBe(false);
  expect(highestGlibc(['GLIBCXX_3.4'])).toBeNull();
});

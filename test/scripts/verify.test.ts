import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readElf } from '../../scripts/formats/elf.ts';
import { minimalElf } from '../../scripts/formats/minimal-elf.ts';
import { faultsOf } from '../../scripts/steps/verify.ts';
import { Failure } from '../../scripts/support/errors.ts';
import { isReady, type ReadyTarget, readTargets } from '../../scripts/targets/targets.ts';
import { elfFile } from './elf-file.ts';

const isLinux = process.platform === 'linux' && process.arch === 'x64';
const none = Buffer.alloc(0);
const noBlob = { codePath: 'vrypt-server', code: none, assets: [], execArgv: [] };

function ready(triple: string): ReadyTarget {
  const target = readTargets().targets.find((row) => row.triple === triple);
  if (target === undefined || !isReady(target)) throw new Error(`no runtime of ${triple}`);
  return target;
}

const musl = ready('x86_64-unknown-linux-musl');
const gnu = ready('x86_64-unknown-linux-gnu');

test.runIf(isLinux)('an ordinary Node is refused as a static product, with every reason', () => {
  const tight = { ...musl, budget: { executable: 1000, archive: 1000 } };
  const faults = faultsOf(tight, readFileSync(process.execPath), noBlob, none);
  expect(faults).toEqual(
    expect.arrayContaining([
      'must have interpreter null, got /lib64/ld-linux-x86-64.so.2',
      'must be stripped, got a symbol table',
      'must need only no library, got libc.so.6',
      'must run on glibc none, got symbols of 2.28',
      'must contain the program, got no note named NODE_SEA_BLOB',
      expect.stringMatching(/^must have the fuse NODE_SEA_FUSE_\w+ set, it has not$/),
      'must not look up NODE_OPTIONS, it does',
      'must not look up OPENSSL_CONF, it does',
      expect.stringMatching(/^must have at most 1000 bytes, got \d+$/),
      expect.stringMatching(/^must be static without a dynamic section, got one of \d+ entries$/),
      expect.stringMatching(/^must come from the runtime [0-9a-f]{64}, got e3b0c442/),
    ]),
  );
});

test.runIf(isLinux)('a file of another architecture is refused', () => {
  expect(faultsOf(ready('i686-unknown-linux-musl'), readFileSync(process.execPath), noBlob, none)).toEqual(
    expect.arrayContaining(['must have ELF machine i386, got x86_64', 'must have ELF class 32, got 64']),
  );
});

const dynamic = [
  [1, 'libc.so.6'],
  [30, 8],
] as const;

describe('a small file', () => {
  const common = [
    'must contain the program, got no note named NODE_SEA_BLOB',
    expect.stringMatching(/fuse/),
    expect.stringMatching(/^must come from the runtime/),
  ];

  test('has no other fault when it is static and sound', () => {
    expect(faultsOf(musl, elfFile(), noBlob, none)).toEqual(common);
  });

  test('has no other fault when it needs glibc and is sound', () => {
    const file = elfFile({
      dynamic,
      versions: ['GLIBC_2.17', 'GLIBC_2.31'],
      interpreter: '/lib64/ld-linux-x86-64.so.2',
    });
    expect(faultsOf(gnu, file, noBlob, none)).toEqual(common);
  });

  test.each([
    ['type REL', { type: 1 }, 'must have ELF type EXEC, got REL'],
    ['type CORE', { type: 4 }, 'must have ELF type EXEC, got CORE'],
    ['type DYN', { type: 3 }, 'must have ELF type EXEC, got DYN'],
    ['entry 0', { entry: 0 }, 'must have its entry point in executable memory, got 0x0'],
    ['flags', { flags: 0x200 }, 'must have ELF flags 0x0, got 0x200'],
    ['debug information', { sections: ['.debug_info'] }, 'must have no debug information, got the section .debug_info'],
    ['compressed debug information', { sections: ['.zdebug_line'] }, /got the section \.zdebug_line$/],
    [
      'an executable stack',
      { segments: [[0x6474e551, 7]] as const },
      'must have no memory both writable and executable, got the stack',
    ],
    [
      'RELRO, which is not promised',
      {
        segments: [
          [0x6474e551, 6],
          [0x6474e552, 4],
        ] as const,
      },
      /promised \(.*no RELRO.*\), got .*full RELRO/,
    ],
  ])('with %s is refused', (_, planted, fault) => {
    expect(faultsOf(musl, elfFile(planted), noBlob, none)).toContainEqual(
      typeof fault === 'string' ? fault : expect.stringMatching(fault),
    );
  });

  test.each([
    [15, 'RPATH'],
    [29, 'RUNPATH'],
    [0x6ffffefc, 'AUDIT'],
    [0x6ffffefb, 'DEPAUDIT'],
    [0x7fffffff, 'FILTER'],
    [0x7ffffffd, 'AUXILIARY'],
    [22, 'TEXTREL'],
    [36, 'RELR'],
  ])('with the dynamic entry %i is refused: %s', (tag, name) => {
    const file = elfFile({ dynamic: [...dynamic, [tag, 1]] });
    expect(faultsOf(gnu, file, noBlob, none)).toContain(
      `must have no dynamic entry ${name}, got one with the value 0x1`,
    );
  });

  test('with relocations of code by a flag, or bound lazily, is refused', () => {
    const faults = faultsOf(gnu, elfFile({ dynamic: [[30, 4]] }), noBlob, none);
    expect(faults).toContain('must have no relocations of code, got the dynamic flags 0x4');
    expect(faults).toContainEqual(expect.stringMatching(/promised \(.*bound at start.*\), got .*bound lazy/));
  });

  test.each(['GLIBC_ABI_DT_RELR', 'GLIBC_PRIVATE'])('that requires %s is refused', (version) => {
    expect(faultsOf(gnu, elfFile({ dynamic, versions: ['GLIBC_2.17', version] }), noBlob, none)).toContain(
      `must require only numbered versions of glibc, got ${version}`,
    );
  });

  test('for ARM with soft floats is refused', () => {
    const file = minimalElf({ class: 32, machine: 'arm' }, Buffer.alloc(16));
    file.writeUInt32LE(0x05000200, 36);
    expect(faultsOf(ready('armv7-unknown-linux-musleabihf'), file, noBlob, none)).toContain(
      'must have ELF flags 0x5000400, got 0x5000200',
    );
  });

  test.each(['/home/kim/src/node.cc', '/root/build/x.o', '/builds/7/x'])('that names %s is refused', (folder) => {
    const file = Buffer.concat([elfFile(), Buffer.from(`\0${folder}\0`)]);
    expect(faultsOf(musl, file, noBlob, none)).toContain(
      `must not name a folder of its build, got ${folder} at 0x1001`,
    );
  });
});

test('a file that ends anywhere, or has any word replaced, has faults instead of an exception', () => {
  const whole = elfFile({ dynamic, versions: ['GLIBC_2.17'], interpreter: '/lib64/ld-linux-x86-64.so.2' });
  for (let length = 0; length < 1600; length += 7) {
    expect(faultsOf(gnu, whole.subarray(0, length), noBlob, none)[0]).toMatch(/^must be a whole ELF file: /);
  }
  for (let at = 4; at < 1600; at += 2) {
    for (const value of [0, 0x7fffffff, 0xffffffff]) {
      const file = Buffer.from(whole);
      file.writeUInt32LE(value, at);
      expect(faultsOf(gnu, file, noBlob, none).length).toBeGreaterThan(0);
    }
  }
  expect(() => readElf(whole.subarray(0, 1500))).toThrow(Failure);
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { faultsOf } from '../../scripts/steps/verify.ts';
import { isReady, readTargets } from '../../scripts/targets/targets.ts';

const isLinux = process.platform === 'linux' && process.arch === 'x64';

test.runIf(isLinux)('an ordinary Node is refused as a static product, with every reason', () => {
  const target = readTargets().targets.find((row) => row.triple === 'x86_64-unknown-linux-musl');
  if (target === undefined || !isReady(target)) throw new Error('no x86_64 musl runtime');
  const tight = { ...target, budget: { executable: 1000, archive: 1000 } };
  const faults = faultsOf(tight, readFileSync(process.execPath), Buffer.from('program'));
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
    ]),
  );
});

test.runIf(isLinux)('a file of another architecture is refused', () => {
  const target = readTargets().targets.find((row) => row.triple === 'i686-unknown-linux-musl');
  if (target === undefined || !isReady(target)) throw new Error('no i686 musl runtime');
  expect(faultsOf(target, readFileSync(process.execPath), Buffer.from(''))).toEqual(
    expect.arrayContaining(['must have ELF machine i386, got x86_64', 'must have ELF class 32, got 64']),
  );
});

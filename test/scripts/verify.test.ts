import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isReady, readTargets } from '../../scripts/targets.ts';
import { faultsOf } from '../../scripts/verify.ts';

const isLinux = process.platform === 'linux' && process.arch === 'x64';

test.runIf(isLinux)('an ordinary Node is refused as a static product, for every reason there is', () => {
  const target = readTargets().targets.find((row) => row.triple === 'x86_64-unknown-linux-musl');
  if (target === undefined || !isReady(target)) throw new Error('no x86_64 musl runtime');
  const tight = { ...target, budget: { executable: 1000, archive: 1000 } };
  const faults = faultsOf(tight, readFileSync(process.execPath), Buffer.from('program'));
  expect(faults).toEqual(
    expect.arrayContaining([
      'must have interpreter null, has /lib64/ld-linux-x86-64.so.2',
      'must be stripped, has a symbol table',
      'may need only no library, needs libc.so.6',
      'must run on glibc none, wants symbols of 2.28',
      'must carry the program: no note named NODE_SEA_BLOB',
      expect.stringMatching(/^must have the fuse NODE_SEA_FUSE_\w+ set, has not$/),
      'must not ask for NODE_OPTIONS, asks',
      'must not ask for OPENSSL_CONF, asks',
      expect.stringMatching(/^must have at most 1000 octets, has \d+$/),
    ]),
  );
});

test.runIf(isLinux)('a file of another architecture is refused', () => {
  const target = readTargets().targets.find((row) => row.triple === 'i686-unknown-linux-musl');
  if (target === undefined || !isReady(target)) throw new Error('no i686 musl runtime');
  expect(faultsOf(target, readFileSync(process.execPath), Buffer.from(''))).toEqual(
    expect.arrayContaining(['must have ELF machine i386, has x86_64', 'must have ELF class 32, has 64']),
  );
});

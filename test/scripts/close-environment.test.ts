import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { blankNames, cStrings } from '../../scripts/formats/c-strings.ts';
import { setTraps } from '../../scripts/smoke/traps.ts';

test('a name that is a whole C string loses its first byte', () => {
  const executable = Buffer.from('padding\0OPENSSL_CONF\0more\0OPENSSL_CONF\0');
  expect(blankNames(executable, ['OPENSSL_CONF'])).toEqual({ OPENSSL_CONF: 2 });
  expect(executable.toString('latin1')).toBe('padding\0\0PENSSL_CONF\0more\0\0PENSSL_CONF\0');
});

test('a longer name, a sentence and a script string stay as they are', () => {
  const length = Buffer.from([12, 0, 0, 0]);
  const text = 'x\0OPENSSL_CONF_INCLUDE\0see OPENSSL_CONF for more\0abc';
  const executable = Buffer.concat([Buffer.from(text), length, Buffer.from('OPENSSL_CONF\0\0\0\0')]);
  const before = Buffer.from(executable);
  expect(blankNames(executable, ['OPENSSL_CONF'])).toEqual({ OPENSSL_CONF: 0 });
  expect(executable.equals(before)).toBe(true);
});

test('a name after a script string, and one right after another, are found too', () => {
  const script = Buffer.concat([Buffer.from([0, 12, 0, 0, 0]), Buffer.from('OPENSSL_CONF\0')]);
  const executable = Buffer.concat([script, Buffer.from('more\0OPENSSL_CONF\0OPENSSL_CONF\0')]);
  expect(cStrings(executable, 'OPENSSL_CONF')).toEqual([23, 36]);
  expect(blankNames(executable, ['OPENSSL_CONF'])).toEqual({ OPENSSL_CONF: 2 });
  expect(cStrings(executable, 'OPENSSL_CONF')).toEqual([]);
});

// An ordinary Node falls into each of these traps, so the smoke test means something. The other variables take effect only in
// a REPL (NODE_REPL_EXTERNAL_MODULE) or in a program that uses more of OpenSSL or ICU.
test.each([
  'NODE_OPTIONS',
  'NODE_COMPILE_CACHE',
  'NODE_V8_COVERAGE',
  'NODE_REDIRECT_WARNINGS',
  'OPENSSL_CONF',
] as const)('an ordinary Node obeys %s', async (variable) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-traps-'));
  try {
    const traps = await setTraps(folder, folder);
    const script = "process.emitWarning('one'); require('node:crypto').createHash('sha256')";
    const env = { [variable]: traps.env[variable] };
    const { status } = spawnSync(process.execPath, ['-e', script], { env, cwd: folder });
    const left = await traps.traces();
    expect(left.length > 0 || status !== 0, `status ${status}, left ${left}`).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

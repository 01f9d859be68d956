/** Starts that Node.js itself survives only since the runtimes say why they cannot: too few descriptors, threads, addresses; no /dev/null; W^X. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { exchange, freePort } from '../../scripts/smoke/server.ts';
import { archiveFolder, artifactPath, tarball } from '../../scripts/targets/artifacts.ts';
import { findTargets, readTargets } from '../../scripts/targets/targets.ts';
import { areInstalled } from '../installed.ts';

const unavailable = inject('unavailable');
const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
/** An ordinary user without other processes. */
const user = ['setpriv', '--reuid', '64998', '--regid', '64998', '--clear-groups'];
const denyWriteExecute = `
import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) != 0: sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])`;

describe.skipIf(unavailable !== '')('x86_64-unknown-linux-musl', () => {
  const [target] = findTargets(readTargets(), ['x86_64-unknown-linux-musl']);
  if (target === undefined) throw new Error('no such target');
  const parent = mkdtempSync(path.join(tmpdir(), 'vrypt-hard-starts-'));
  const program = path.join(parent, archiveFolder(target), 'vrypt-server');

  beforeAll(() => {
    execFileSync('tar', ['-xzf', artifactPath(tarball(target)), '-C', parent]);
    execFileSync('chmod', ['755', parent]);
  });
  afterAll(() => rmSync(parent, { recursive: true }));

  /** What a start says that `shell` makes impossible, with its exit code. */
  function refused(shell: string, before: readonly string[] = []): { code: number | null; stderr: string } {
    const [command = '', ...args] = [...before, 'bash', '-c', `${shell}; exec "$0" "$@"`, program, '0', '-w', '2'];
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000, cwd: parent });
    return { code: status, stderr };
  }

  test.each([8, 10, 12, 16, 20])('with %i descriptors it says how many it needs', (limit) => {
    expect(refused(`ulimit -n ${limit}`)).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        new RegExp(`^[^\\n]*cannot start: ${limit} open files are allowed \\(ulimit -n\\)[^\\n]*\\n$`),
      ),
    });
  });

  test('with too little address space it says how much it needs', () => {
    expect(refused('ulimit -v 900000')).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^[^\n]*cannot start: 900000 KiB of address space are allowed \(ulimit -v\)[^\n]*\n$/,
      ),
    });
  });

  test.skipIf(process.getuid?.() !== 0).each([1, 4])('with %i processes for its user it names that limit', (limit) => {
    expect(refused(`ulimit -u ${limit}`, user)).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^[^\n]*cannot start: the system refuses another thread \(ulimit -u[^\n]*\n$/),
    });
  });

  test.skipIf(process.getuid?.() !== 0)('with stderr alone in an empty root it says what is missing', () => {
    const root = path.join(parent, 'root');
    mkdirSync(root);
    copyFileSync(program, path.join(root, 'v'));
    const { status, stderr } = spawnSync('bash', ['-c', `exec chroot ${root} /v 0 <&-`], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^v: cannot start: stdin, stdout or stderr is closed, and \/dev\/null[^\n]*\n$/),
    });
  });

  test.skipIf(!areInstalled('memory that is never writable and executable', { python3: 'python3' }))(
    'where memory is never writable and executable it says so',
    () => {
      const args = ['-c', denyWriteExecute, program, '0'];
      const { status, stderr } = spawnSync('python3', args, { encoding: 'utf8', timeout: 60_000 });
      // Linux has the flag since 6.3.
      if (status === 77) return;
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringMatching(/^[^\n]*cannot start: the system refuses memory that is writable and executable/),
      });
    },
  );

  test('serves from a folder that is gone, and ignores SIGHUP as nohup asks', async () => {
    const port = await freePort();
    const shell = `mkdir gone && cd gone && rmdir ../gone && trap '' HUP && exec "$0" "$@"`;
    const args = ['-c', shell, program, String(port), '-w', '2'];
    const server = spawn('bash', args, { cwd: parent, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => server.once('exit', (code, signal) => resolve(code ?? signal)));
    try {
      await new Promise((resolve) => server.stdout.once('data', resolve));
      server.kill('SIGHUP');
      expect(await exchange(port, request)).toMatch(/Vrypt$/);
    } finally {
      server.kill('SIGTERM');
    }
    expect(await ended).toBe(0);
  });
});

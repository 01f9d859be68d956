/** Faults of the machine, planted: each ends with one line that names the thing, and leaves nothing behind. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { root } from '../../scripts/support/checkout.ts';
import { explain } from '../../scripts/support/errors.ts';
import { sha256 } from '../../scripts/support/hash.ts';
import { assertPath } from '../../scripts/support/host.ts';
import { Checkout } from './checkout.ts';

const triple = 'x86_64-unknown-linux-musl';
const isRoot = process.getuid?.() === 0;
const canUnshare = isRoot && spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']).status === 0;
let checkout: Checkout;

beforeAll(() => {
  checkout = new Checkout();
});

beforeEach(() => {
  for (const folder of ['build', 'runtimes']) rmSync(at(folder), { recursive: true, force: true });
  cpSync(path.join(root, 'targets.json'), at('targets.json'));
});

afterAll(() => checkout.remove());

function at(...names: string[]): string {
  return path.join(checkout.folder, ...names);
}

function found(program: string): string {
  return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
}

/** A PATH with these programs and no other. */
function only(...programs: string[]): string {
  const folder = at('build/path');
  mkdirSync(folder, { recursive: true });
  for (const program of programs) symlinkSync(found(program), path.join(folder, program));
  return folder;
}

/** A runtime that is no Node, but unpacks, with its row and its record. */
function plantRuntime(content = 'the runtime', record: Record<string, unknown> = {}): void {
  const folder = at('runtimes', triple);
  mkdirSync(folder, { recursive: true });
  cpSync(path.join(root, 'runtimes/LICENSES.txt'), at('runtimes/LICENSES.txt'));
  writeFileSync(path.join(folder, 'node.xz'), execFileSync('xz', { input: content }));
  const table = JSON.parse(readFileSync(at('targets.json'), 'utf8'));
  for (const row of table.targets) if (row.triple === triple) row.runtime.sha256 = sha256(content);
  writeFileSync(at('targets.json'), JSON.stringify(table));
  const right = { name: triple, node: table.node, sha256: sha256(content) };
  writeFileSync(path.join(folder, 'BUILD.json'), JSON.stringify({ ...right, ...record }));
}

function unpack(): { status: number | null; stderr: string } {
  const { status, stderr } = checkout.run('scripts/steps/node-binary.ts', ['--target', triple]);
  return { status, stderr };
}

test('a corrupt or missing node.xz is one line', () => {
  plantRuntime();
  expect(unpack().status).toBe(0);
  writeFileSync(at('runtimes', triple, 'node.xz'), 'garbage');
  expect(unpack().status).toBe(0);
  execFileSync('rm', ['-r', at('build/node-binary')]);
  expect(unpack()).toEqual({
    status: 1,
    stderr: expect.stringMatching(new RegExp(`^${triple}: \\S*xz must [^\\n]*node\\.xz[^\\n]*\\n$`)),
  });
  execFileSync('rm', [at('runtimes', triple, 'node.xz')]);
  expect(unpack()).toEqual({
    status: 1,
    stderr: expect.stringMatching(/^[^\n]*node\.xz or [^\n]* must exist[^\n]*\n$/),
  });
});

test('another runtime than that of the row is named with both hashes, and not kept', () => {
  plantRuntime();
  writeFileSync(at('runtimes', triple, 'node.xz'), execFileSync('xz', { input: 'another' }));
  const { status, stderr } = unpack();
  expect(stderr).toBe(
    `${triple}: runtimes/${triple}/node.xz, unpacked, must have the SHA-256 ${sha256('the runtime')} of targets.json, got ${sha256('another')}\n`,
  );
  expect([status, existsSync(at('build/node-binary', triple, 'node'))]).toEqual([1, false]);
});

test('a corrupt runtime is not right because a stamp says so', () => {
  plantRuntime();
  expect(unpack().status).toBe(0);
  writeFileSync(at('build/node-binary', triple, 'node'), 'corrupt');
  const stamp = at('build/stamps', `node-binary.${triple}.json`);
  writeFileSync(stamp, readFileSync(stamp, 'utf8').replace(sha256('the runtime'), sha256('corrupt')));
  const { status, stderr } = unpack();
  expect([status, stderr]).toEqual([1, expect.stringContaining(`targets.json, got ${sha256('corrupt')}\n`)]);
});

test.each([
  ['name', 'another-triple'],
  ['node', '24.20.0'],
  ['sha256', '0'],
])('a record whose %s is not that of the row is named', (key, value) => {
  plantRuntime('the runtime', { [key]: value });
  const { status, stderr } = unpack();
  expect(stderr).toMatch(
    new RegExp(`^${triple}: runtimes/${triple}/BUILD.json: ${key} must be [^\\n]+, got ${value}\\n$`),
  );
  expect(status).toBe(1);
});

test('a Node of another version than the runtimes packages nothing', () => {
  plantRuntime('the runtime', { node: '24.20.0' });
  writeFileSync(
    at('targets.json'),
    readFileSync(at('targets.json'), 'utf8').replace(/"node":"[^"]*"/, '"node":"24.20.0"'),
  );
  expect(unpack()).toEqual({
    status: 1,
    stderr: `${triple}: the Node that packages (npm run puts it on the PATH) must be 24.20.0 of targets.json, got ${process.versions.node}\n`,
  });
});

test('a missing git is named before anything is made', () => {
  const { status, stderr } = checkout.run('scripts/release.ts', [], { PATH: only('flock', 'setpriv') });
  expect(stderr).toMatch(/^git must be installed[^\n]*\n$/);
  expect(status).toBe(1);
});

test('missing tools of the system are named together, with the command that installs them', () => {
  const PATH = only('flock', 'setpriv', 'git');
  const { status, stderr } = checkout.run('scripts/release.ts', ['--target', triple], { PATH });
  expect(stderr).toMatch(/^missing: tar \(to [^\n]+xz[^\n]+; type: sudo apt-get install -y [^\n]*\btar\b[^\n]*\n$/);
  expect(status).toBe(1);
});

test('without flock nothing starts', () => {
  const { status, stderr } = checkout.run('scripts/steps/bundle.ts', [], { PATH: only('git') });
  expect([status, stderr]).toEqual([1, 'setpriv and flock (package util-linux) must be installed, got ENOENT\n']);
});

test.skipIf(!canUnshare)('a read-only checkout is one line', () => {
  const remount =
    'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$1" && exec "$2" scripts/steps/bundle.ts';
  const args = ['--mount', 'sh', '-c', remount, 'sh', checkout.folder, process.execPath];
  const { status, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^EROFS: read-only file system, mkdir '[^\n]*build'\n$/)]);
});

test.each(['new\nline', 'back\\slash', 'co:lon'])('a path with %j is refused in one line', (name) => {
  const rule = /^the checkout's path must have no newline, backslash or colon, got [^\n]+$/;
  expect(() => assertPath(`/home/${name}`)).toThrow(rule);
});

test('the refusal of a path comes before all else', () => {
  const other = new Checkout('vrypt-co:lon-');
  try {
    const { status, stderr } = other.run('scripts/release.ts');
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^the checkout's path must have [^\n]+\n$/)]);
  } finally {
    other.remove();
  }
});

test('errors of the system have no stack, ours do', () => {
  const noRoom = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
    syscall: 'write',
  });
  expect(explain(noRoom)).toBe('ENOSPC: no space left on device, write');
  expect(explain(new TypeError('a bug'))).toContain('\n    at ');
});

test.each(['scripts/release.ts --help', 'scripts/steps/node-binary.ts'])(
  '%s: nobody reads its output to the end',
  (line) => {
    plantRuntime();
    const shell = `set -o pipefail; { "${process.execPath}" ${line} --target ${triple} 2>&1; echo "exit code $?" >&2; } | true`;
    const { stderr } = spawnSync('bash', ['-c', shell], { cwd: checkout.folder, encoding: 'utf8' });
    expect(stderr).toBe('exit code 0\n');
  },
);

test('a terminal that says dumb gets no escapes', () => {
  plantRuntime();
  const command = `"${process.execPath}" scripts/steps/node-binary.ts --target ${triple}`;
  const env = { ...process.env, CI: '', TERM: 'dumb' };
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
    cwd: checkout.folder,
    encoding: 'utf8',
    env,
  });
  expect(stdout).toContain('SHA-256 as in targets.json');
  expect(stdout).not.toContain('\x1b');
});

/** Starts `sleep` as smoke starts a server, prints its process id and stays. */
const serving = `
  import { command } from './scripts/support/command.ts';
  import { Server } from './scripts/smoke/server.ts';
  await command({ about: '' }, async () => {
    const server = new Server({ command: ['sleep', '1000'], cwd: '.' }, 0, []);
    console.log(server.pid);
    await server.end();
  });`;

test.each([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGQUIT', 131],
  ['SIGTERM', 143],
  ['SIGKILL', null],
] as const)('%s leaves no server behind', async (signal, expected) => {
  const args = ['--input-type=module', '--eval', serving];
  const child = spawn(process.execPath, args, { cwd: checkout.folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  const server = Number(String(line));
  // Until setpriv has become the program: then it is the kernel's duty.
  while (readFileSync(`/proc/${server}/comm`, 'utf8') !== 'sleep\n') await pause(5);
  child.kill(signal);
  const [code] = await once(child, 'close');
  expect(code).toBe(expected);
  while (isRunning(server)) await pause(5);
});

/** A zombie that nobody has collected yet is not running. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\sZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** `install.sh` in the shells and with the tools that people have. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { areInstalled } from '../installed.ts';
import { archive, archiveOf, publish, script, sign, targets, version } from './installer.ts';
import { type ReleaseServer, startReleaseServer } from './release-server.ts';

const musl = { triple: 'x86_64-unknown-linux-musl' };
const glibc = { triple: 'x86_64-unknown-linux-gnu' };
const sums = 'checksums-sha256.txt';

let folder = '';
let server: ReleaseServer;

const isTested = areInstalled('install.sh', {
  busybox: 'busybox',
  curl: 'curl',
  dash: 'dash',
  minisign: 'minisign',
  shellcheck: 'shellcheck',
  wget: 'wget',
});

beforeEach(async (context) => {
  if (!isTested) context.skip();
  folder = mkdtempSync(path.join(tmpdir(), 'vrypt-install-'));
  mkdirSync(path.join(folder, 'tmp'));
  server = await startReleaseServer();
  await publish(server);
});

afterEach(async () => {
  if (!isTested) return;
  await server.close();
  rmSync(folder, { recursive: true });
});

let boxTools = '';
beforeAll(() => {
  boxTools = mkdtempSync(path.join(tmpdir(), 'vrypt-busybox-'));
  const list = spawnSync('busybox', ['--list'], { encoding: 'utf8' }).stdout ?? '';
  for (const name of list.split('\n').filter(Boolean)) symlinkSync('/bin/busybox', path.join(boxTools, name));
});
afterAll(() => rmSync(boxTools, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of this name says this, and nothing else. */
function pretend(name: string, says: string, code = 0): void {
  const bin = path.join(folder, 'pretended');
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(bin, name), `#!/bin/sh\n${says}\nexit ${code}\n`);
  chmodSync(path.join(bin, name), 0o755);
}

function install(
  args: readonly string[],
  { text = script(), shell = ['dash'], tools = process.env['PATH'] ?? '' } = {},
) {
  const file = path.join(folder, 'install.sh');
  writeFileSync(file, text);
  const [program = '', ...options] = shell;
  const env = {
    PATH: `${path.join(folder, 'pretended')}:${tools}`,
    HOME: path.join(folder, 'home'),
    TMPDIR: path.join(folder, 'tmp'),
    INSTALL_PAUSE: '0',
  };
  const child = spawn(program, [...options, file, ...args], { env, cwd: folder });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (part) => {
      said[name] += part;
    });
  return new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, ...said })));
}

const prefix = (): string => path.join(folder, 'prefix');
const program = (): string => path.join(prefix(), 'bin/demo');
const into = (...args: string[]): string[] => ['--prefix', prefix(), '--from', server.url, ...args];

/** Nothing is left: no program, no part of one, no temporary folder. */
function expectNothing(): void {
  expect(existsSync(path.join(prefix(), 'bin')) ? readdirSync(path.join(prefix(), 'bin')) : []).toEqual([]);
  expect(readdirSync(path.join(folder, 'tmp'))).toEqual([]);
}

test('a program of which nobody knows what it does is not started', async () => {
  const text = script('', [], false);
  server.files.set(archiveOf(musl), await archive(musl, `#!/bin/sh\ntouch ${folder}/started\n`));
  sign(server.files);
  expect(await install(into('--target', musl.triple), { text })).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(program())).toBe(true);
  expect(existsSync(path.join(folder, 'started'))).toBe(false);
});

test('shellcheck finds nothing', () => {
  writeFileSync(path.join(folder, 'install.sh'), script());
  const { stdout, status } = spawnSync('shellcheck', ['-s', 'sh', path.join(folder, 'install.sh')], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

describe.each([
  ['dash and GNU tools', { shell: ['/bin/dash'] }],
  ['bash', { shell: ['/bin/bash', '--posix'] }],
  ['BusyBox alone', { shell: ['/bin/busybox', 'sh'], box: true }],
] as const)('%s', (_, { shell, ...how }) => {
  const options = () => ({ shell: [...shell], ...('box' in how ? { tools: boxTools } : {}) });

  test('installs, installs again and removes', async () => {
    for (let round = 0; round < 2; round++) {
      const { code, stdout, stderr } = await install(into('--target', musl.triple), options());
      expect(stderr).toBe('');
      expect(stdout).toContain('checksum: good');
      expect(code).toBe(0);
      expect(spawnSync(program(), { encoding: 'utf8' }).stdout).toBe(`demo ${version} ${musl.triple}\n`);
    }
    expect(readFileSync(path.join(prefix(), 'share/man/man1/demo.1'), 'utf8')).toBe('share/man/man1/demo.1\n');
    expect(readdirSync(path.join(folder, 'tmp'))).toEqual([]);
    const gone = await install(['--uninstall', '--prefix', prefix()], options());
    expect(gone.code).toBe(0);
    expect(spawnSync('find', [prefix(), '-type', 'f'], { encoding: 'utf8' }).stdout).toBe('');
  });

  test('continues a download that was cut off', async () => {
    server.misbehaviors.set(archiveOf(musl), 'truncates once');
    expect(await install(into('--target', musl.triple), options())).toMatchObject({ code: 0 });
    expect(server.requests.at(-1)).toMatch(/ bytes=\d\d+-$/);
  });

  test('refuses a file with another checksum', async () => {
    server.files.set(archiveOf(musl), await archive(musl, 'another program'));
    const { code, stderr } = await install(into('--target', musl.triple), options());
    expect(code).toBe(1);
    expect(stderr).toMatch(/must have the SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}; nothing was installed\n$/);
    expectNothing();
  });

  test('refuses a download that always ends early', async () => {
    server.misbehaviors.set(archiveOf(musl), 'truncates');
    // Each turn halves what is missing, so a short file would be whole after five.
    server.files.set(archiveOf(musl), Buffer.alloc(1 << 20, 'x'));
    sign(server.files);
    expect((await install(into('--target', musl.triple), options())).code).toBe(1);
    expectNothing();
  });

  test('says what is missing', async () => {
    server.files.delete(archiveOf(musl));
    const { code, stderr } = await install(into('--target', musl.triple), options());
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${archiveOf(musl)} must be there to download`)]);
    expectNothing();
  });

  test('runs nothing before the last line has arrived, wherever the script is cut off', () => {
    const text = script();
    writeFileSync(path.join(folder, 'uname'), '');
    for (let at = 0; at < text.length - 2; at += 1500) {
      const part = text.slice(0, at);
      const { stdout } = spawnSync(shell[0], [...shell.slice(1)], {
        input: `${part}`,
        encoding: 'utf8',
        env: { PATH: '/nowhere' },
      });
      expect(stdout).toBe('');
    }
    const whole = spawnSync(shell[0], [...shell.slice(1), '-s', '--', '--help'], { input: text, encoding: 'utf8' });
    expect(whole.stdout).toContain('--prefix');
  });
});

describe('what the machine is', () => {
  test.each([
    ['x86_64', '02', 'glibc 2.36', 'x86_64-unknown-linux-gnu'],
    ['x86_64', '02', 'glibc 2.31', 'x86_64-unknown-linux-gnu'],
    ['x86_64', '02', 'glibc 2.30', 'x86_64-unknown-linux-musl'],
    ['x86_64', '02', '', 'x86_64-unknown-linux-musl'],
    ['amd64', '02', '', 'x86_64-unknown-linux-musl'],
    ['x86_64', '01', '', 'i686-unknown-linux-musl'],
    ['i586', '01', '', 'i686-unknown-linux-musl'],
    ['aarch64', '02', '', 'aarch64-unknown-linux-musl'],
    ['aarch64', '01', '', 'armv7-unknown-linux-musleabihf'],
    ['armv8l', '01', '', 'armv7-unknown-linux-musleabihf'],
    ['armv7l', '01', '', 'armv7-unknown-linux-musleabihf'],
  ])('%s, programs of class %s, "%s": %s', async (machine, elfClass, libc, triple) => {
    pretend('uname', `case $1 in -s) echo Linux ;; -m) echo ${machine} ;; esac`);
    pretend('od', `echo ' ${elfClass}'`);
    pretend('getconf', `echo '${libc}'`, libc === '' ? 1 : 0);
    pretend('ldd', 'echo "musl libc" >&2', 1);
    const { stdout, stderr } = await install(into('--dry-run'));
    expect(stderr).toBe('');
    expect(stdout).toMatch(`demo ${version} for ${triple} (`);
    expect(server.requests).toEqual([]);
  });

  test.each([
    ['Darwin', 'arm64', '', /runs on Linux only, got macOS/],
    ['FreeBSD', 'amd64', '', /runs on Linux only, got FreeBSD/],
    ['Linux', 'riscv64', '', /must be x86_64, i686, aarch64 or armv7, got riscv64/],
    ['Linux', 'armv6l', '', /got armv6l/],
    ['Linux', 'aarch64', 'Android', /does not run on Android/],
  ])('%s on %s %s is a clear no', async (system, machine, os, message) => {
    pretend('uname', `case $1 in -s) echo ${system} ;; -m) echo ${machine} ;; -o) echo ${os} ;; esac`);
    const { code, stderr } = await install(into());
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  test('an old glibc is named', async () => {
    pretend('getconf', 'echo glibc 2.19');
    expect((await install(into('--dry-run'))).stdout).toContain(
      '(fully static, because glibc 2.19 is older than 2.31)',
    );
  });
});

describe('a hostile release', () => {
  test('sends without an end: what is kept is bounded', { timeout: 60_000 }, async () => {
    server.misbehaviors.set(sums, 'endless');
    const text = script().replace(/^largest=.*$/m, 'largest=2048');
    const { code } = await install(into(), { text });
    expect(code).toBe(1);
    expectNothing();
  });

  test.each([
    ['no line for the archive', `${'0'.repeat(64)}  another\n`],
    ['two lines for it', `${'0'.repeat(64)}  ${archiveOf(musl)}\n${'1'.repeat(64)}  ${archiveOf(musl)}\n`],
    ['a hash that is a command', `$(touch${'0'.repeat(50)})  ${archiveOf(musl)}\n`],
    ['a short hash', `00  ${archiveOf(musl)}\n`],
    ['HTML', '<!doctype html>\n'],
  ])('has checksums with %s', async (_, text) => {
    server.files.set(sums, Buffer.from(text));
    const { code, stderr } = await install(into('--target', musl.triple));
    expect(code).toBe(1);
    expect(stderr).toContain(`${sums} must have`);
    expectNothing();
  });

  test('has an archive with links and names that lead elsewhere: nothing outside is written', async () => {
    const top = `demo-v${version}-${musl.triple}`;
    const make = path.join(folder, 'make');
    mkdirSync(path.join(make, top), { recursive: true });
    symlinkSync(path.join(folder, 'stolen'), path.join(make, top, 'demo'));
    writeFileSync(path.join(make, 'escape'), 'x');
    const packed = spawnSync('tar', [
      '-czPf',
      '-',
      '-C',
      make,
      '--transform',
      's,^escape$,../../escaped,',
      top,
      'escape',
    ]).stdout;
    server.files.set(archiveOf(musl), packed);
    sign(server.files);
    const { code, stderr } = await install(into('--target', musl.triple));
    expect([code, stderr]).toEqual([1, expect.stringContaining(`must contain ${top}/demo, it does not`)]);
    expect(existsSync(path.join(folder, 'stolen'))).toBe(false);
    expect(spawnSync('find', [folder, '-name', 'escaped'], { encoding: 'utf8' }).stdout).toBe('');
    expectNothing();
  });

  test('has a program that does not start here: the old one stays', async () => {
    await install(into('--target', glibc.triple));
    server.files.set(archiveOf(glibc), await archive(glibc, '#!/bin/sh\necho no >&2\nexit 3\n'));
    sign(server.files);
    const { code, stderr } = await install(into('--target', glibc.triple));
    expect([code, stderr]).toEqual([1, expect.stringContaining('must run on this machine, got exit code 3: no')]);
    expect(readdirSync(path.join(prefix(), 'bin'))).toEqual(['demo']);
    expect(spawnSync(program(), { encoding: 'utf8' }).stdout).toContain(version);
  });

  test('has a list of installed files that names others: nothing is removed', async () => {
    await install(into('--target', musl.triple));
    writeFileSync(path.join(prefix(), 'share/demo/installed-files'), '../home-of-somebody\n');
    writeFileSync(path.join(folder, 'home-of-somebody'), '');
    expect((await install(['--uninstall', '--prefix', prefix()])).code).toBe(1);
    expect(existsSync(path.join(folder, 'home-of-somebody'))).toBe(true);
  });
});

describe('a signed release', () => {
  const keys = (name = 'ours'): { secret: string; key: string } => {
    const secret = path.join(folder, `${name}.key`);
    const made = spawnSync('minisign', ['-G', '-W', '-f', '-s', secret, '-p', `${secret}.pub`], { encoding: 'utf8' });
    expect(made.stderr).toBe('');
    return { secret, key: readFileSync(`${secret}.pub`, 'utf8').split('\n')[1] ?? '' };
  };
  const signWith = (secret: string): void => {
    const file = path.join(folder, sums);
    writeFileSync(file, server.files.get(sums) ?? '');
    expect(spawnSync('minisign', ['-S', '-s', secret, '-m', file]).status).toBe(0);
    server.files.set(`${sums}.minisig`, readFileSync(`${file}.minisig`));
  };

  test('is checked with minisign, by any of the keys, and refused with another', async () => {
    const [ours, other] = [keys(), keys('other')];
    const text = script('', [other.key, ours.key]);
    signWith(ours.secret);
    expect((await install(into('--target', musl.triple), { text })).stdout).toContain('signature: good');
    const { code, stderr } = await install(into('--target', musl.triple), { text: script('', [other.key]) });
    expect([code, stderr]).toEqual([1, expect.stringContaining('must be signed with a key of this project')]);
    server.files.delete(`${sums}.minisig`);
    expect((await install(into('--target', musl.triple), { text })).code).toBe(1);
  });

  test('is installed without minisign too, which is said', async () => {
    const { stdout, code } = await install(into('--target', musl.triple), {
      text: script('', [keys().key]),
      shell: ['/bin/busybox', 'sh'],
      tools: boxTools,
    });
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('signature: not checked, because minisign is not installed'),
    ]);
  });
});

describe('the command line', () => {
  test.each([
    [['--prefix'], '--prefix must have a value, got none'],
    [['--prefix='], '--prefix must have a value, got an empty one'],
    [['--colour'], 'there is no option "--colour"'],
    [
      ['--target', 'vax'],
      `--target must be one of ${targets.map(({ triple }) => triple).filter((triple) => /gnu/.test(triple))[0]}`,
    ],
    [['--version', '1;reboot'], 'must be a version such as'],
    [['--from', 'ftp://a'], '--from must begin with https:// or http://, got "ftp://a"'],
    [[], '--from must be given: this copy of the installer does not know where its release is'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await install(args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test('--version takes the files of that version from where the releases are', async () => {
    await publish(server, '1.0.0');
    const { stdout, code } = await install(['--version', 'v1.0.0', '--target', musl.triple, '--prefix', prefix()], {
      text: script(`${server.url}`),
    });
    expect([code, stdout]).toEqual([0, expect.stringContaining(`${server.url}/${archiveOf(musl, '1.0.0')}`)]);
    const dry = await install(['--version', '1.0.0', '--dry-run'], { text: script('https://example.org/releases/v@') });
    expect(dry.stdout).toContain('https://example.org/releases/v1.0.0/demo-v1.0.0-');
  });

  test('without root it goes to ~/.local', async () => {
    pretend('id', 'echo 1000');
    expect((await install(['--from', server.url])).stdout).toContain(
      `installed ${folder}/home/.local/bin/demo: demo ${version}`,
    );
  });
});

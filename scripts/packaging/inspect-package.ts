/** Reads a deb, an rpm or an apk as its package manager would and says what is wrong with it. Pure. */
import { createHash } from 'node:crypto';
import { readRpm } from '../formats/rpm-reader.ts';
import { gunzipWhole, readTar, type TarEntry } from '../formats/tar-reader.ts';
import { Failure } from '../support/errors.ts';
import { sha256 } from '../support/hash.ts';
import { type InspectFacts, manualPlaces } from './inspect-facts.ts';
import { type Place, treeFaults } from './inspected-tree.ts';

const settingsFolders = { deb: '/etc/default', rpm: '/etc/sysconfig', apk: '/etc/conf.d' } as const;
type Family = keyof typeof settingsFolders;

export function debFaults(bytes: Buffer, facts: InspectFacts): string[] {
  const members = arMembers(bytes);
  const names = members.map(({ name }) => name).join(' ');
  if (names !== 'debian-binary control.tar.gz data.tar.gz') {
    return [`must have the members debian-binary control.tar.gz data.tar.gz, got ${names}`];
  }
  const [version, control, data] = members.map((member) => member.data) as [Buffer, Buffer, Buffer];
  const faults = version.toString() === '2.0\n' ? [] : [`must be of version 2.0, got ${version.toString().trim()}`];
  const controls = readTar(gunzipWhole(control));
  const files = rooted(readTar(gunzipWhole(data)));
  const text = (file: string): string => controls.find(({ name }) => name === `./${file}`)?.data.toString() ?? '';
  const settings = settingsOf('deb', facts);
  const scripts = facts.service === undefined ? [] : ['postinst', 'prerm', 'postrm'];
  const controlPlaces: Place[] = [
    ...['control', 'md5sums', ...(settings.length > 0 ? ['conffiles'] : [])].map((file) => ({
      path: `./${file}`,
      mode: 0o644 as const,
    })),
    ...scripts.map((file) => ({ path: `./${file}`, mode: 0o755 as const })),
  ];
  faults.push(...treeFaults(controls, { places: controlPlaces, folders: ['.'], time: facts.time }));
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text('control'))?.[1] ?? 'nothing';
  const fields = {
    Package: facts.name,
    Version: facts.version,
    Architecture: facts.architecture,
    Depends: facts.glibc === null ? 'nothing' : `libc6 (>= ${facts.glibc})`,
  };
  for (const [name, wanted] of Object.entries(fields)) {
    if (field(name) !== wanted) faults.push(`must have the field ${name}: ${wanted}, got ${field(name)}`);
  }
  const listed = text('conffiles').split('\n').filter(Boolean).join(' ');
  if (listed !== settings.join(' '))
    faults.push(`must name its settings ${settings.join(' ')} in conffiles, got ${listed || 'nothing'}`);
  const sums = new Map(
    text('md5sums')
      .split('\n')
      .filter(Boolean)
      .map((line) => [line.slice(34), line.slice(0, 32)]),
  );
  for (const { name, data: content } of files.filter(({ name, kind }) => kind === 'file' && !settings.includes(name))) {
    const [got, right] = [sums.get(name.slice(1)), createHash('md5').update(content).digest('hex')];
    if (got !== right) faults.push(`must list ${name} in md5sums with ${right}, got ${got ?? 'nothing'}`);
  }
  return [...faults, ...treeFaults(files, { places: packagePlaces('deb', facts), folders: [''], time: facts.time })];
}

/** Read by its index of files and by its payload: both must say the same. */
export function rpmFaults(bytes: Buffer, facts: InspectFacts): string[] {
  const { tags, files, faults: digests } = readRpm(bytes);
  const faults = [...digests];
  const all = (tag: number): readonly (string | number)[] => tags.get(tag) ?? [];
  const version = facts.version.replace('-', '~');
  const single: readonly (readonly [what: string, tag: number, wanted: string])[] = [
    ['name', 1000, facts.name],
    ['version', 1001, version],
    ['architecture', 1022, facts.architecture],
  ];
  for (const [what, tag, wanted] of single) {
    if (all(tag)[0] !== wanted) faults.push(`must have the ${what} ${wanted}, got ${all(tag)[0] ?? 'none'}`);
  }
  const needs = all(1049)
    .map((name, index) => `${name} ${all(1050)[index]}`)
    .find((need) => need.startsWith('glibc '));
  const wanted = facts.glibc === null ? undefined : `glibc ${facts.glibc}`;
  if (needs !== wanted) faults.push(`must require ${wanted ?? 'no glibc'}, got ${needs ?? 'no glibc'}`);
  const settings = settingsOf('rpm', facts);
  const entries = files.map(({ name, mode, data }, index): TarEntry => {
    const listed = `${all(1118)[Number(all(1116)[index])]}${all(1117)[index]}`;
    const path = name.replace(/^\./, '');
    if (listed !== path) faults.push(`must list ${path} as its file ${index}, got ${listed}`);
    if (all(1030)[index] !== mode)
      faults.push(`${path} must have one mode, got ${Number(all(1030)[index]).toString(8)} and ${mode.toString(8)}`);
    const isFolder = (mode & 0o170000) === 0o040000;
    const digest = isFolder ? '' : sha256(data);
    if (all(1035)[index] !== digest)
      faults.push(`${path} must be listed with the SHA-256 ${digest}, got ${all(1035)[index]}`);
    const isSettings = (Number(all(1037)[index]) & 17) === 17;
    if (isSettings !== settings.includes(path))
      faults.push(
        `${path} must ${isSettings ? 'not ' : ''}be kept as settings (config, noreplace), got the flags ${all(1037)[index]}`,
      );
    return {
      name: path,
      kind: isFolder ? 'folder' : (mode & 0o170000) === 0o100000 ? 'file' : 'type 2',
      mode: mode & 0o7777,
      owner: `0:0 ${all(1039)[index]}:${all(1040)[index]}`,
      time: Number(all(1034)[index]),
      link: (mode & 0o170000) === 0o120000 ? data.toString() : '',
      data,
      pax: {},
    };
  });
  if (all(1117).length !== files.length)
    faults.push(`must list the ${files.length} files that it holds, got ${all(1117).length}`);
  return [...faults, ...treeFaults(entries, { places: packagePlaces('rpm', facts), time: facts.time })];
}

export function apkFaults(bytes: Buffer, facts: InspectFacts): string[] {
  // The second of its gzip members is what the first one names the hash of.
  const second = bytes.indexOf(bytes.subarray(0, 10), 10);
  const [info, ...entries] = readTar(gunzipWhole(bytes));
  const said = info?.data.toString() ?? '';
  const faults: string[] = [];
  if (info?.name !== '.PKGINFO') faults.push(`must begin with .PKGINFO, got ${info?.name ?? 'nothing'}`);
  const wanted = {
    pkgname: facts.name,
    pkgver: `${facts.version}-r0`,
    arch: facts.architecture,
    datahash: second < 0 ? 'a second member' : sha256(bytes.subarray(second)),
  };
  for (const [key, value] of Object.entries(wanted)) {
    const got = new RegExp(`^${key} = (.*)$`, 'm').exec(said)?.[1];
    if (got !== value) faults.push(`must say ${key} = ${value}, got ${got ?? 'nothing'}`);
  }
  for (const { name, kind, data, pax } of entries.filter((entry) => entry.kind === 'file')) {
    const [got, right] = [pax['APK-TOOLS.checksum.SHA1'], createHash('sha1').update(data).digest('hex')];
    if (got !== right)
      faults.push(`${name} must have the SHA-1 ${right} beside it, got ${got ?? `none for this ${kind}`}`);
  }
  const files = entries.map((entry) => ({ ...entry, name: `/${entry.name}` }));
  return [...faults, ...treeFaults(files, { places: packagePlaces('apk', facts), time: facts.time })];
}

function settingsOf(family: Family, { name, service }: InspectFacts): string[] {
  return service === undefined ? [] : [`${settingsFolders[family]}/${name}`];
}

function packagePlaces(family: Family, facts: InspectFacts): Place[] {
  const { name, service, hasManual, executable } = facts;
  const doc = `/usr/share/doc/${name}`;
  const licenses = `/usr/share/licenses/${name}`;
  const units = family === 'deb' ? '/lib/systemd/system' : '/usr/lib/systemd/system';
  const texts = [
    ...(family === 'deb'
      ? [
          `${doc}/copyright`,
          `${doc}/THIRD-PARTY-LICENSES.txt`,
          `${doc}/changelog.gz`,
          `/usr/share/lintian/overrides/${name}`,
        ]
      : [`${licenses}/LICENSE`, `${licenses}/THIRD-PARTY-LICENSES.txt`, `${doc}/CHANGELOG.md`]),
    `${doc}/README.md`,
    ...(hasManual ? manualPlaces(name, '.gz').map((path) => `/usr${path}`) : []),
    ...settingsOf(family, facts),
    ...(service === undefined || family === 'apk'
      ? []
      : [`${units}/${name}.service`, ...(service.takesSocket ? [`${units}/${name}.socket`] : [])]),
  ];
  return [
    { path: `/usr/bin/${name}`, mode: 0o755, sha256: executable },
    ...texts.map((path) => ({ path, mode: 0o644 as const })),
    ...(service !== undefined && family === 'apk' ? [{ path: `/etc/init.d/${name}`, mode: 0o755 as const }] : []),
  ];
}

/** `./usr/bin/x` is `/usr/bin/x`, as it will be. */
function rooted(entries: readonly TarEntry[]): TarEntry[] {
  return entries.map((entry) => ({ ...entry, name: entry.name.replace(/^\.(?=\/)/, '') }));
}

/** deb(5): each has a head of 60 bytes, and begins at an even one. */
function arMembers(bytes: Buffer): { name: string; data: Buffer }[] {
  if (bytes.toString('latin1', 0, 8) !== '!<arch>\n') throw new Failure('an ar archive must begin with !<arch>');
  const members: { name: string; data: Buffer }[] = [];
  for (let at = 8; at < bytes.length; ) {
    const name = bytes
      .toString('latin1', at, at + 16)
      .trim()
      .replace(/\/$/, '');
    const size = Number(bytes.toString('latin1', at + 48, at + 58));
    if (!(at + 60 + size <= bytes.length))
      throw new Failure(`${name} must be whole, the file ends before its ${size} bytes do`);
    members.push({ name, data: bytes.subarray(at + 60, at + 60 + size) });
    at += 60 + size + (size % 2);
  }
  return members;
}

/**
 * An RPM package of format 4: lead, signature header, header, a cpio payload in gzip. Digests are SHA-256 throughout; MD5 and
 * SHA-1 are there because rpm before 4.14 looks for them. Unsigned. Pure: bytes in, bytes out.
 * Source: https://rpm.org/docs/latest/manual/format_v4.html, tags: https://rpm.org/docs/latest/manual/tags.html.
 */
import { createHash } from 'node:crypto';
import { cpioParts } from './cpio.ts';
import type { PackagedFile } from './deb.ts';
import { gzip } from './gzip.ts';
import { bytes, int16, int32, rpmHeader, text, texts, translated, type Value } from './rpm-header.ts';

export interface RpmFacts {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly architecture: string;
  readonly summary: string;
  readonly description: string;
  readonly license: string;
  readonly url: string;
  readonly packager: string;
  /** Name, and the oldest version or none. */
  readonly requires: readonly (readonly [name: string, oldest?: string])[];
  readonly changelog: readonly { readonly time: number; readonly who: string; readonly text: string }[];
  /** Shell scripts. */
  readonly scripts: { readonly postInstall?: string; readonly preRemove?: string; readonly postRemove?: string };
  /** Folders that belong to this package alone. */
  readonly folders: readonly string[];
}

const senseGreaterOrEqual = 12;
const senseEqual = 8;
const senseRpmlib = 1 << 24;
const flag = { settings: 1, noReplace: 16, documentation: 2, license: 128 } as const;

/** `time` in seconds since 1970. */
export async function rpm(facts: RpmFacts, given: readonly PackagedFile[], time: number): Promise<Buffer> {
  const folders = facts.folders.map((path) => ({
    path,
    mode: 0o040755,
    data: new Uint8Array(),
    isFolder: true,
    isSettings: undefined,
  }));
  const files = given.map((file) => ({ ...file, mode: 0o100000 | file.mode, isFolder: false }));
  const all = [...folders, ...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const unpacked = cpioParts(
    all.map(({ path, mode, data }) => ({ name: `.${path}`, mode, data })),
    time,
  );
  const payload = await gzip(unpacked);
  const folderNames = [...new Set(all.map(({ path }) => folderOf(path)))].sort();
  const each = <T>(value: (file: (typeof all)[number], index: number) => T): T[] => all.map(value);
  const requires = [
    ...facts.requires.map(([name, oldest = '']) => ({
      name,
      flags: oldest === '' ? 0 : senseGreaterOrEqual,
      version: oldest,
    })),
    ...rpmlib.map(([name, version]) => ({ name: `rpmlib(${name})`, flags: senseRpmlib | 10, version })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  const version = `${facts.version}-${facts.release}`;
  const provides = [facts.name, `${facts.name}(${isaOf[facts.architecture] ?? facts.architecture})`];
  const { postInstall, preRemove, postRemove } = facts.scripts;
  const tags: Record<number, Value> = {
    100: texts('C'),
    1000: text(facts.name),
    1001: text(facts.version),
    1002: text(facts.release),
    1004: translated(facts.summary),
    1005: translated(facts.description),
    1006: int32(time),
    1007: text('localhost'),
    1009: int32(files.reduce((total, { data }) => total + data.length, 0)),
    1014: text(facts.license),
    1015: text(facts.packager),
    1016: translated('System Environment/Daemons'),
    1020: text(facts.url),
    1021: text('linux'),
    1022: text(facts.architecture),
    ...scriptTags(1024, 1086, postInstall),
    ...scriptTags(1025, 1087, preRemove),
    ...scriptTags(1026, 1088, postRemove),
    1028: int32(...each(({ data, isFolder }) => (isFolder ? 4096 : data.length))),
    1030: int16(...each(({ mode }) => mode)),
    1033: int16(...each(() => 0)),
    1034: int32(...each(() => time)),
    1035: texts(...each(({ data, isFolder }) => (isFolder ? '' : hash('sha256', data)))),
    1036: texts(...each(() => '')),
    1037: int32(...each(flagsOf)),
    1039: texts(...each(() => 'root')),
    1040: texts(...each(() => 'root')),
    1044: text(`${facts.name}-${version}.src.rpm`),
    1045: int32(...each(() => 0xffffffff)),
    1047: texts(...provides),
    1048: int32(...requires.map(({ flags }) => flags)),
    1049: texts(...requires.map(({ name }) => name)),
    1050: texts(...requires.map(({ version: oldest }) => oldest)),
    1064: text('4.18.0'),
    1080: int32(...facts.changelog.map((entry) => entry.time)),
    1081: texts(...facts.changelog.map(({ who }) => who)),
    1082: texts(...facts.changelog.map((entry) => entry.text)),
    1095: int32(...each(() => 1)),
    1096: int32(...each((_, index) => index + 1)),
    1097: texts(...each(() => '')),
    1112: int32(...provides.map(() => senseEqual)),
    1113: texts(...provides.map(() => version)),
    1116: int32(...each(({ path }) => folderNames.indexOf(folderOf(path)))),
    1117: texts(...each(({ path }) => path.slice(folderOf(path).length))),
    1118: texts(...folderNames),
    1124: text('cpio'),
    1125: text('gzip'),
    1126: text('9'),
    1132: text(`${facts.architecture}-linux`),
    5011: int32(8),
    5062: text('utf-8'),
    5092: texts(hash('sha256', payload)),
    5093: int32(8),
    5097: texts(hash('sha256', ...unpacked)),
  };
  const header = rpmHeader(63, tags);
  const signature = rpmHeader(62, {
    269: text(hash('sha1', header)),
    273: text(hash('sha256', header)),
    1000: int32(header.length + payload.length),
    1004: bytes(createHash('md5').update(header).update(payload).digest()),
    1007: int32(unpacked.reduce((total, { length }) => total + length, 0)),
  });
  return Buffer.concat([
    lead(`${facts.name}-${version}`),
    signature,
    Buffer.alloc(-signature.length & 7),
    header,
    payload,
  ]);
}

/** What rpm itself must understand to install it. */
const rpmlib = [
  ['CompressedFileNames', '3.0.4-1'],
  ['FileDigests', '4.6.0-1'],
  ['PayloadFilesHavePrefix', '4.0-1'],
] as const;

const isaOf: Readonly<Record<string, string>> = {
  x86_64: 'x86-64',
  i686: 'x86-32',
  aarch64: 'aarch-64',
  armv7hl: 'armv7hl-32',
};

/** Obsolete, and still what `file` and rpm look at first. */
function lead(name: string): Buffer {
  const block = Buffer.alloc(96);
  block.writeUInt32BE(0xedabeedb, 0);
  block[4] = 3;
  block.writeUInt16BE(1, 8);
  block.write(name.slice(0, 65), 10, 'latin1');
  block.writeUInt16BE(1, 76);
  block.writeUInt16BE(5, 78);
  return block;
}

function scriptTags(script: number, interpreter: number, content: string | undefined): Record<number, Value> {
  return content === undefined ? {} : { [script]: text(content), [interpreter]: text('/bin/sh') };
}

function flagsOf({
  path,
  isSettings,
  isFolder,
}: {
  path: string;
  isSettings?: true | undefined;
  isFolder: boolean;
}): number {
  if (isFolder) return 0;
  if (isSettings) return flag.settings | flag.noReplace;
  if (path.startsWith('/usr/share/licenses/')) return flag.license;
  return /^\/usr\/share\/(doc|man)\//.test(path) ? flag.documentation : 0;
}

/** With its last slash. */
function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function hash(algorithm: 'sha1' | 'sha256', ...parts: readonly Uint8Array[]): string {
  const sum = createHash(algorithm);
  for (const part of parts) sum.update(part);
  return sum.digest('hex');
}

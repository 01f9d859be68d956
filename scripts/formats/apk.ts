/**
 * Alpine's package of format 2: two gzip members, control and data, as https://wiki.alpinelinux.org/wiki/Apk_spec says it. A
 * third one before them would be the signature; ours has none, and is installed with --allow-untrusted. Pure.
 */
import { createHash } from 'node:crypto';
import { foldersOf, type PackagedFile } from './deb.ts';
import { gzip } from './gzip.ts';
import { type Entry, tar, tarGz } from './tar.ts';

export interface ApkFacts {
  readonly name: string;
  /** With its release: 1.2.3-r0. */
  readonly version: string;
  readonly architecture: 'x86_64' | 'x86' | 'aarch64' | 'armv7';
  readonly summary: string;
  readonly url: string;
  readonly license: string;
  readonly maintainer: string;
}

/** `time` in seconds since 1970. */
export async function apk(facts: ApkFacts, files: readonly PackagedFile[], time: number): Promise<Buffer> {
  const entries: Entry[] = [
    ...foldersOf(files).map((folder) => ({ name: `${folder.slice(1)}/` as const, mode: 0o755 as const })),
    ...files.map(({ path, mode, data }) => ({ name: path.slice(1), mode, data, pax: checksum(data) })),
  ];
  const data = await tarGz(entries, time);
  const size = files.reduce((total, file) => total + file.data.length, 0);
  const info = [
    ['pkgname', facts.name],
    ['pkgver', facts.version],
    ['pkgdesc', facts.summary],
    ['url', facts.url],
    ['builddate', String(time)],
    ['packager', facts.maintainer],
    ['size', String(size)],
    ['arch', facts.architecture],
    ['origin', facts.name],
    ['maintainer', facts.maintainer],
    ['license', facts.license],
    ['provides', `cmd:${facts.name}=${facts.version}`],
    ['datahash', createHash('sha256').update(data).digest('hex')],
  ].map(([key, value]) => `${key} = ${value}\n`);
  const control = tar([{ name: '.PKGINFO', mode: 0o644, data: Buffer.from(info.join('')) }], time);
  // The control part goes on in the data part: it has no end of its own (two empty blocks).
  return Buffer.concat([await gzip(control.subarray(0, -1024)), data]);
}

function checksum(data: Uint8Array): Readonly<Record<string, string>> {
  return { 'APK-TOOLS.checksum.SHA1': createHash('sha1').update(data).digest('hex') };
}

/**
 * Every file that comes from outside and goes into a product, or is tried with it: pinned in sources.json, fetched,
 * compared with its SHA-256, unpacked. Nothing that is not in that file, or whose hash differs, is ever unpacked.
 * Owns `build/runtime/downloads` and `build/runtime/sources`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cache } from '../support/checkout.ts';
import { explain, Failure } from '../support/errors.ts';
import { sha256FileSync } from '../support/hash.ts';
import { runWell } from '../support/run.ts';
import type { Target } from '../targets/targets.ts';

export interface Source {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
  /** `shipped`: code of it is inside the executable. `build`: only used to make it. `trial`: only used to try it. */
  readonly use: 'shipped' | 'build' | 'trial';
  readonly sha256: string;
  readonly size: number;
  /** A path in Debian's archive; the mirror is the one that apt is set up with. */
  readonly debian?: string;
  /** `name@version` in the npm registry. */
  readonly npm?: string;
  /** Tried when the mirror no longer has the file: rolling suites drop old versions. */
  readonly fallbackUrl?: string;
  /** What is unpacked of a big archive; without it, everything. */
  readonly members?: readonly string[];
}

export const allSources: readonly Source[] = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'sources.json'), 'utf8'),
);

const downloads = path.join(cache, 'runtime/downloads');
const unpackedSources = path.join(cache, 'runtime/sources');

export function findSource(name: string): Source {
  const source = allSources.find((candidate) => candidate.name === name);
  if (source === undefined) throw new Failure(`sources.json must have a source named ${name}, has none`);
  return source;
}

/** The sources of one runtime: those of all, and the packages of its own C library and architecture. */
export function sourcesFor({ architecture, libc }: Target): Source[] {
  const perArchitecture = /-(amd64|i386|arm64|armhf)$/;
  return allSources.filter(({ name, use }) => {
    if (use === 'trial') return false;
    const debian = perArchitecture.exec(name)?.[1];
    if (debian === undefined) return libc === 'musl' || !['linux-headers', 'dlmalloc'].includes(name);
    return debian === architecture.debian && name.startsWith('musl-') === (libc === 'musl');
  });
}

export function fileOf(source: Source): string {
  if (source.debian !== undefined) return path.basename(source.debian);
  return `${source.npm
    ?.replace(/^@/, '')
    .replace('/', '-')
    .replace(/@([^@]*)$/, '-$1')}.tgz`;
}

/** Returns the path of the downloaded and checked file. */
export async function fetchSource(source: Source): Promise<string> {
  const file = path.join(downloads, fileOf(source));
  const isGood = (): boolean => existsSync(file) && sha256FileSync(file) === source.sha256;
  if (isGood()) return file;
  await mkdir(downloads, { recursive: true });
  const attempts: (() => Promise<unknown>)[] = [];
  const { npm } = source;
  if (npm !== undefined) attempts.push(() => runWell(['npm', 'pack', '--silent', npm], { cwd: downloads }));
  for (const url of [source.debian && `${debianMirror()}/${source.debian}`, source.fallbackUrl]) {
    if (url) attempts.push(() => runWell(['curl', '-fsSL', '--retry', '2', '-o', file, url]));
  }
  const reasons: string[] = [];
  for (const attempt of attempts) {
    const reason = await attempt().then(() => 'another file', explain);
    if (isGood()) return file;
    reasons.push(reason);
    await rm(file, { force: true });
  }
  throw new Failure(
    `${fileOf(source)} must be had, with the SHA-256 ${source.sha256} of sources.json, got ${reasons.join('; ')}`,
  );
}

/** Unpacks into build/runtime/sources/<name>, again when the source has changed. */
export async function unpackSource(source: Source): Promise<string> {
  const folder = unpackedFolder(source);
  if (isUnpacked(source)) return folder;
  const file = await fetchSource(source);
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  if (file.endsWith('.deb')) {
    const tar = await open(`${partial}.tar`, 'w');
    await runWell(['dpkg-deb', '--fsys-tarfile', file], { stdout: tar.fd }).finally(() => tar.close());
    await runWell(['tar', '-xf', `${partial}.tar`, '-C', partial, ...(source.members ?? [])]);
    await rm(`${partial}.tar`);
  } else {
    await runWell(['tar', '-xf', file, '-C', partial, '--strip-components=1', ...(source.members ?? [])]);
  }
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
  await writeFile(`${folder}.sha256`, source.sha256);
  return folder;
}

export function isUnpacked(source: Source): boolean {
  const folder = unpackedFolder(source);
  const record = `${folder}.sha256`;
  return existsSync(folder) && existsSync(record) && readFileSync(record, 'utf8') === source.sha256;
}

function unpackedFolder({ name }: Source): string {
  return path.join(unpackedSources, name.replace('/', '-'));
}

/** The archive that this machine's apt uses for Debian itself, without a trailing slash. */
export function debianMirror(): string {
  const folder = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : []),
  ];
  for (const file of files.filter(existsSync)) {
    const match = /^(?:URIs:|deb)\s+(?:\[[^\]]*\]\s+)?(https?:\/\/\S+\/debian)\/?(?:\s|$)/m.exec(
      readFileSync(file, 'utf8'),
    );
    if (match?.[1] !== undefined) return match[1];
  }
  return 'https://deb.debian.org/debian';
}

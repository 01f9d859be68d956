/**
 * Every source that goes into a runtime: read from sources.json, fetched, checked against its SHA-256, unpacked.
 * Nothing that is not in that file, or whose hash differs, is ever unpacked.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { $ } from 'zx';
import { DOWNLOADS, RECIPE, SOURCES } from './paths.ts';
import type { Platform } from './platforms.ts';

export interface Source {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly licence: string;
  /** `shipped`: code of it is inside the executable. `build`: only used to make it. */
  readonly use: 'shipped' | 'build';
  readonly sha256: string;
  readonly size: number;
  /** A path in Debian's archive; the mirror is the one that apt is set up with. */
  readonly debian?: string;
  /** `name@version` in the npm registry. */
  readonly npm?: string;
  /** Asked where the first place has the file no longer: a rolling suite drops old versions. */
  readonly second?: string;
  /** Of a big archive, what is unpacked; everything, where it is missing. */
  readonly members?: readonly string[];
}

export const ALL_SOURCES: readonly Source[] = JSON.parse(readFileSync(join(RECIPE, 'sources.json'), 'utf8'));

export function findSource(name: string): Source {
  const source = ALL_SOURCES.find((candidate) => candidate.name === name);
  if (source === undefined) throw new Error(`sources.json has no source named ${name}`);
  return source;
}

/** The sources of one platform: those of all, and the packages of its own C library and architecture. */
export function sourcesFor(platform: Platform): Source[] {
  const other = /-(amd64|i386|arm64|armhf)$/;
  return ALL_SOURCES.filter(({ name }) => {
    const architecture = other.exec(name)?.[1];
    if (architecture === undefined) return platform.libc === 'musl' || !['linux-headers', 'dlmalloc'].includes(name);
    return architecture === platform.debian && name.startsWith('musl-') === (platform.libc === 'musl');
  });
}

export function fileOf(source: Source): string {
  if (source.debian !== undefined) return basename(source.debian);
  return `${source.npm
    ?.replace(/^@/, '')
    .replace('/', '-')
    .replace(/@([^@]*)$/, '-$1')}.tgz`;
}

/** Returns the path of the downloaded, checked file. */
export async function fetchSource(source: Source): Promise<string> {
  const file = join(DOWNLOADS, fileOf(source));
  if (existsSync(file) && hashOf(file) === source.sha256) return file;
  await mkdir(DOWNLOADS, { recursive: true });
  const attempts: (() => Promise<unknown>)[] = [];
  if (source.npm !== undefined) attempts.push(() => $({ cwd: DOWNLOADS })`npm pack --silent ${source.npm}`);
  for (const url of [source.debian && `${debianMirror()}/${source.debian}`, source.second]) {
    if (url) attempts.push(() => $`curl -fsSL --retry 2 -o ${file} ${url}`);
  }
  for (const attempt of attempts) {
    const failed = await attempt().then(
      () => false,
      () => true,
    );
    if (!failed && existsSync(file) && hashOf(file) === source.sha256) return file;
    await rm(file, { force: true });
  }
  throw new Error(`no place has ${fileOf(source)} with the SHA-256 ${source.sha256}`);
}

/** Unpacks into build/runtime/sources/<name>, anew when the source is another than the last time. */
export async function unpackSource(source: Source): Promise<string> {
  const folder = join(SOURCES, source.name.replace('/', '-'));
  const record = `${folder}.sha256`;
  if (existsSync(folder) && existsSync(record) && readFileSync(record, 'utf8') === source.sha256) return folder;
  const file = await fetchSource(source);
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  if (file.endsWith('.deb')) {
    await $`dpkg-deb -x ${file} ${partial}`;
  } else {
    await $`tar -xf ${file} -C ${partial} --strip-components=1 ${source.members ?? []}`;
  }
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
  await writeFile(record, source.sha256);
  return folder;
}

export function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** The archive that this machine's apt uses for Debian itself, without a trailing slash. */
function debianMirror(): string {
  const folder = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
  ];
  for (const file of files.filter(existsSync)) {
    const match = /^(?:URIs:|deb)\s+(?:\[[^\]]*\]\s+)?(https?:\/\/\S+\/debian)\/?(?:\s|$)/m.exec(
      readFileSync(file, 'utf8'),
    );
    if (match?.[1] !== undefined) return match[1];
  }
  return 'https://deb.debian.org/debian';
}

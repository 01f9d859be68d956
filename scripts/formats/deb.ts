/**
 * A Debian binary package, deb(5) and deb-control(5): bytes in, bytes out. gzip inside, because dpkg of Debian 11 knows no
 * zstd and xz is not in Node. Owner is root, folders are written for every file.
 */
import { createHash } from 'node:crypto';
import { ar } from './ar.ts';
import { type Entry, tarGz } from './tar.ts';

export interface PackagedFile {
  /** Absolute, where it is installed. */
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  readonly data: Uint8Array;
  /** An administrator may change it, and a newer package leaves it as it is. */
  readonly isSettings?: true;
}

export interface DebControl {
  /** In the order of deb-control(5); a value of several lines is indented here. */
  readonly fields: Readonly<Record<string, string>>;
  /** preinst, postinst, prerm, postrm. */
  readonly scripts: Readonly<Record<string, string>>;
}

/** `time` in seconds since 1970. */
export async function deb(
  { fields, scripts }: DebControl,
  files: readonly PackagedFile[],
  time: number,
): Promise<Buffer> {
  const size = files.reduce((total, { data }) => total + Math.ceil(data.length / 1024), 0) + foldersOf(files).length;
  const lines = Object.entries({ ...fields, 'Installed-Size': String(size) }).map(
    ([name, value]) => `${name}: ${indented(value)}\n`,
  );
  const settings = files.filter(({ isSettings }) => isSettings).map(({ path }) => `${path}\n`);
  const sums = files
    .filter(({ isSettings }) => !isSettings)
    .map(({ path, data }) => `${createHash('md5').update(data).digest('hex')}  ${path.slice(1)}\n`);
  const control: readonly Entry[] = [
    { name: './', mode: 0o755 },
    text('./control', lines.join('')),
    text('./md5sums', sums.sort((a, b) => (a.slice(34) < b.slice(34) ? -1 : 1)).join('')),
    ...(settings.length > 0 ? [text('./conffiles', settings.join(''))] : []),
    ...Object.entries(scripts).map(([name, script]) => ({ ...text(`./${name}`, script), mode: 0o755 as const })),
  ];
  const data: readonly Entry[] = [
    { name: './', mode: 0o755 },
    ...foldersOf(files).map((folder) => ({ name: `.${folder}/` as const, mode: 0o755 as const })),
    ...files.map(({ path, mode, data }) => ({ name: `.${path}`, mode, data })),
  ];
  const [controlTar, dataTar] = await Promise.all([tarGz(control, time), tarGz(data, time)]);
  const members = [
    { name: 'debian-binary', data: Buffer.from('2.0\n') },
    { name: 'control.tar.gz', data: controlTar },
    { name: 'data.tar.gz', data: dataTar },
  ];
  return ar(members, time);
}

/** Every folder above the files, without the root, sorted: `/usr`, `/usr/bin`. */
export function foldersOf(files: readonly Pick<PackagedFile, 'path'>[]): string[] {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at));
  }
  return [...folders].sort();
}

function text(
  name: string,
  content: string,
): Entry & { readonly data: Buffer; readonly mode: 0o644; readonly name: string } {
  return { name, mode: 0o644, data: Buffer.from(content) };
}

/** A line that begins with a space continues a field; an empty one is a dot. */
function indented(value: string): string {
  return value.replaceAll(/\n(.*)/g, (_, line: string) => `\n ${line === '' ? '.' : line}`);
}

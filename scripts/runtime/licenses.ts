/**
 * runtimes/LICENSES.txt: the license of everything inside a runtime, as its authors wrote it. Generated, plain text;
 * a release puts it into every archive.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { $, glob } from 'zx';
import { allSources, fetchSource, fileOf, type Source, unpackSource } from '../sources/sources.ts';
import { Failure } from '../support/errors.ts';
import { nodeTree, work } from './paths.ts';

const fileNames = ['LICENSE', 'LICENSE.txt', 'LICENSE.md', 'COPYING', 'LICENSE-MIT', 'libcxx/LICENSE.TXT', 'copyright'];

export async function licensesText(): Promise<string> {
  const shipped = allSources.filter((source) => source.use === 'shipped');
  const parts = [
    'A vrypt-server executable contains Node.js and what Node.js is made of. Their licenses follow.\n' +
      'musl is in the *-musl* executables only. V8 takes sin and cos from glibc (LGPL, below): with the sources and scripts\n' +
      'of this project (scripts/runtime) anyone can build and link an executable with a changed version of them.\n',
  ];
  const seen = new Set<string>();
  for (const source of shipped) {
    const label = source.name.replace(/^musl-.*/, 'musl');
    if (seen.has(label) || source.name === 'node-debian') continue;
    seen.add(label);
    parts.push(section(`${label} ${source.version} (${source.license})`, await licenseOf(source)));
  }
  for (const file of (
    await glob('deps/**/{LICENSE,LICENSE.*,LICENSE-MIT}', { cwd: nodeTree, ignore: ['deps/icu/**'] })
  ).sort()) {
    parts.push(section(`node/${file}`, await readFile(join(nodeTree, file), 'utf8')));
  }
  return parts.join('\n');
}

async function licenseOf(source: Source): Promise<string> {
  if (source.name.startsWith('musl-')) {
    const folder = join(work, 'licenses', source.name);
    await $`mkdir -p ${folder} && dpkg-deb -x ${await fetchSource(source)} ${folder}`;
    return readFile(join(folder, 'usr/share/doc/musl-dev/copyright'), 'utf8');
  }
  const folder = await unpackSource(source);
  for (const name of fileNames) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => null);
    if (text !== null) return text;
  }
  throw new Failure(`${fileOf(source)} must have a license text, has none`);
}

function section(title: string, text: string): string {
  return `${'='.repeat(100)}\n${title}\n${'='.repeat(100)}\n\n${text.trimEnd()}\n`;
}

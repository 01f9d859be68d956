/**
 * runtimes/LICENSES.txt: the licence of everything inside a runtime, as its own authors wrote it. Generated, plain text;
 * the release puts it into every archive.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { $, glob } from 'zx';
import { NODE_TREE, WORK } from './paths.ts';
import { ALL_SOURCES, fetchSource, fileOf, type Source, unpackSource } from './sources.ts';

const NAMES = ['LICENSE', 'LICENSE.txt', 'LICENSE.md', 'COPYING', 'LICENSE-MIT', 'libcxx/LICENSE.TXT', 'copyright'];

export async function licencesText(): Promise<string> {
  const shipped = ALL_SOURCES.filter((source) => source.use === 'shipped');
  const parts = [
    'A vrypt-server executable contains Node.js and what Node.js is made of. Their licences follow.\n' +
      'musl is in the *-musl* executables only. V8 takes sin and cos from glibc (LGPL, below): with the sources and scripts\n' +
      'of this project (scripts/runtime) anyone can build and link an executable with a changed version of them.\n',
  ];
  const seen = new Set<string>();
  for (const source of shipped) {
    const label = source.name.replace(/^musl-.*/, 'musl');
    if (seen.has(label) || source.name === 'node-debian') continue;
    seen.add(label);
    parts.push(section(`${label} ${source.version} (${source.licence})`, await licenceOf(source)));
  }
  for (const file of (await glob('deps/**/{LICENSE,LICENSE.*,LICENSE-MIT}', { cwd: NODE_TREE })).sort()) {
    parts.push(section(`node/${file}`, await readFile(join(NODE_TREE, file), 'utf8')));
  }
  return parts.join('\n');
}

async function licenceOf(source: Source): Promise<string> {
  if (source.name.startsWith('musl-')) {
    const folder = join(WORK, 'licences', source.name);
    await $`mkdir -p ${folder} && dpkg-deb -x ${await fetchSource(source)} ${folder}`;
    return readFile(join(folder, 'usr/share/doc/musl-dev/copyright'), 'utf8');
  }
  const folder = await unpackSource(source);
  for (const name of NAMES) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => null);
    if (text !== null) return text;
  }
  throw new Error(`no licence text in ${fileOf(source)}`);
}

function section(title: string, text: string): string {
  return `${'='.repeat(100)}\n${title}\n${'='.repeat(100)}\n\n${text.trimEnd()}\n`;
}

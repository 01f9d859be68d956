/**
 * `package:release`: the toolchain as an npm package of its own. Its modules as JavaScript, one by one, with the table of targets and the
 * records of the runtimes; not the runtimes themselves, which come from a folder, an address or npm packages. Owns `build/release/`.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { transform } from 'esbuild';
import { build, root, shown } from '../support/checkout.ts';
import { command } from '../support/command.ts';
import { everythingFrom } from '../support/imports.ts';
import { oldestNode } from '../support/oldest-node.ts';
import { say } from '../support/progress.ts';
import { runWell } from '../support/run.ts';
import { readTargets } from '../targets/targets.ts';

const folder = path.join(build, 'release');
/** Where its modules begin; the loader is bundled when a program is packaged. */
const entries = ['scripts/cli.ts', 'scripts/loader/main.ts'];
/** Found at run time by `require.resolve`. */
const resolved = ['postject'];

/** Returns the path of the tarball. */
export async function packageRelease(): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  const { files, packages } = await everythingFrom(entries);
  for (const name of files) await place(name);
  for (const room of new Set(files.map((name) => path.dirname(name)).filter((name) => name !== 'scripts'))) {
    for (const name of await dataIn(room)) await place(name);
  }
  await place('LICENSE');
  await place('targets.json');
  await place('runtimes/LICENSES.txt');
  for (const { triple, runtime } of readTargets().targets)
    if (runtime !== null) await place(`runtimes/${triple}/BUILD.json`);
  await copyFile(path.join(root, 'product/release.README.md'), path.join(folder, 'README.md'));
  await writeManifest([...packages, ...resolved].sort());
  const { stdout } = await runWell(['npm', 'pack', '--silent', '--pack-destination', build], { cwd: folder });
  return path.join(build, stdout.trim());
}

/** What the modules of a room read beside themselves. */
async function dataIn(room: string): Promise<string[]> {
  const entries = await readdir(path.join(root, room), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts') && entry.name !== 'README.md')
    .map(({ name }) => path.join(room, name));
}

/** Node strips no types below node_modules, so modules become JavaScript, and import each other as such. */
async function place(name: string): Promise<void> {
  const target = path.join(folder, name.replace(/\.ts$/, '.js'));
  await mkdir(path.dirname(target), { recursive: true });
  if (!name.endsWith('.ts')) return await copyFile(path.join(root, name), target);
  const text = await readFile(path.join(root, name), 'utf8');
  const { code } = await transform(text, { loader: 'ts', format: 'esm', target: 'node22', logLevel: 'silent' });
  await writeFile(target, code.replace(/(from |import\(|import )(["'])(\.[^"']*)\.ts\2/g, '$1$2$3.js$2'), {
    mode: 0o755,
  });
}

async function writeManifest(dependencies: readonly string[]): Promise<void> {
  const own = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  const versions = own['devDependencies'] as Record<string, string>;
  const manifest = {
    name: 'vrypt-release',
    version: own['version'],
    description: 'Any Node program as one file for every Linux, started before it is called built',
    license: own['license'],
    type: 'module',
    bin: { 'vrypt-release': 'scripts/cli.js' },
    engines: { node: `>=${oldestNode}` },
    os: ['linux'],
    cpu: ['x64'],
    dependencies: Object.fromEntries(dependencies.map((name) => [name, versions[name]])),
    keywords: ['single-executable', 'sea', 'pkg', 'packaging', 'musl'],
  };
  await writeFile(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

if (import.meta.main) {
  await command({ about: 'Makes the npm package of the toolchain.' }, async () => {
    say(`package:release ${shown(await packageRelease())}`);
  });
}

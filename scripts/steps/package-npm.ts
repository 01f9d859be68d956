/**
 * `package:npm`: the library as an npm package: ES modules bundled from `src/index.ts`, and declarations of everything that they
 * export. Owns `build/npm/`.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { build as esbuild } from 'esbuild';
import { neededDeclarations } from '../formats/needed-declarations.ts';
import { packagesIn } from '../support/bundled-packages.ts';
import { build, root, shown } from '../support/checkout.ts';
import { command } from '../support/command.ts';
import { Failure } from '../support/errors.ts';
import { say } from '../support/progress.ts';

/** Unpacked; what a package may weigh is a promise of the README. */
const MAX_BYTES = 400_000;

export const folder: string = path.join(build, 'npm');

/** Makes the package and checks it as its users' tools will see it. Returns its size. */
export async function packageNpm(): Promise<number> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const packages = await bundleModules();
  await emitDeclarations(path.join(folder, 'types'));
  await shortenDeclarations(path.join(folder, 'types'));
  await writeManifest();
  await writeLicense(packages);
  await copyFile(path.join(root, 'product/npm.README.md'), path.join(folder, 'README.md'));
  const bytes = await sizeOf(folder);
  if (bytes > MAX_BYTES)
    throw new Failure(
      `package:npm: the package must not exceed ${MAX_BYTES} bytes unpacked, got ${bytes} in ${shown(folder)}`,
    );
  return bytes;
}

/** What is loaded only when it is needed stays a file of its own. Returns the folders of the packages whose code is inside. */
async function bundleModules(): Promise<string[]> {
  const { metafile } = await esbuild({
    absWorkingDir: root,
    entryPoints: { index: 'src/index.ts' },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    // A quarter smaller; functions and classes keep their names for stack traces and for frameworks that look at them.
    minify: true,
    keepNames: true,
    lineLimit: 200,
    legalComments: 'none',
    logLevel: 'silent',
    metafile: true,
  });
  return packagesIn(metafile);
}

/** Ours, and those of the packages inside. */
async function writeLicense(packages: readonly string[]): Promise<void> {
  let text = await readFile(path.join(root, 'LICENSE'), 'utf8');
  for (const inside of packages) {
    const name = (await readdir(path.join(root, inside))).find((file) => /^licen[cs]e/i.test(file));
    if (name === undefined) throw new Failure(`package:npm: ${inside} must have a license to be bundled`);
    const license = await readFile(path.join(root, inside, name), 'utf8');
    text += `\n---\n\nContains ${path.basename(inside)}:\n\n${license}`;
  }
  await writeFile(path.join(folder, 'LICENSE'), text);
}

/** Into the folder `types`; more than the exports need. */
export async function emitDeclarations(types: string): Promise<void> {
  const compiler = path.join(root, 'node_modules/.bin/tsc');
  const project = ['--project', path.join(root, 'tsconfig.npm.json'), '--outDir', types];
  await promisify(execFile)(compiler, project).catch((error: { stdout: string }) => {
    throw new Failure(`package:npm: the declarations must compile, got: ${error.stdout}`);
  });
  for (const name of await readdir(types, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue;
    const file = path.join(types, name);
    const text = await readFile(file, 'utf8');
    // Declarations are found beside the names of modules that Node could load.
    await writeFile(file, text.replace(/(from |import\(|import )(['"])(\.[^'"]*)\.ts\2/g, '$1$2$3.js$2'));
  }
}

/**
 * What no export leads to is left out, and what nobody can name needs no words: comments stay in the modules that `index` exports from.
 * And a tab is shorter than four spaces.
 */
async function shortenDeclarations(types: string): Promise<void> {
  const texts = new Map<string, string>();
  for (const file of await readdir(types, { recursive: true })) {
    if (file.endsWith('.d.ts')) texts.set(file, await readFile(path.join(types, file), 'utf8'));
  }
  const exporting = Array.from(
    (texts.get('index.d.ts') ?? '').matchAll(/from '\.\/([^']+)\.js'/g),
    ([, name]) => `${name}.d.ts`,
  );
  await rm(types, { recursive: true });
  for (const [file, whole] of neededDeclarations(texts)) {
    const isNamed = file === 'index.d.ts' || exporting.includes(file);
    const text = isNamed ? whole : whole.replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, '');
    await mkdir(path.dirname(path.join(types, file)), { recursive: true });
    await writeFile(
      path.join(types, file),
      text.replace(/^(?: {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4)),
    );
  }
}

async function writeManifest(): Promise<void> {
  const own = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  const { name, version, license, engines } = own;
  const manifest = {
    name,
    version,
    description:
      'A server library for Node: web-standard fetch handlers, WebSockets, events and files, at the cost of C',
    license,
    type: 'module',
    sideEffects: false,
    engines,
    exports: { '.': { types: './types/index.d.ts', default: './index.js' }, './package.json': './package.json' },
    types: './types/index.d.ts',
    keywords: ['http', 'server', 'fetch', 'websocket', 'sse'],
  };
  await writeFile(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(path.join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

if (import.meta.main) {
  await command({ about: 'Makes the npm package of the library.' }, async () => {
    const bytes = await packageNpm();
    say(`package:npm ${shown(folder)}, ${(bytes / 1000).toFixed(0)} kB`);
  });
}

/**
 * A Node source tree that builds: Debian's archive, which lacks what Debian packages separately, completed from the other
 * sources and patched. Made once, then copied per target.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { build as bundle } from 'esbuild';
import { $ } from 'zx';
import { findSource, unpackSource } from '../sources/sources.ts';
import { allLocalesName, dataAssembler, trimIcuData, trimmedSha256 } from './icu.ts';
import type { Job } from './job.ts';
import { nodeTree, recipe, work } from './paths.ts';

/** Those of Debian's patches that this build needs; the others concern Debian's own layout. */
const debianPatches = ['deps/v8-no-static-zlib', 'deps/cares', 'build/32-bit', 'build/reproducibility-65684'];

/** Modules that are bundled into a file of Node, or run during its build. */
const modules = ['minimatch', '@isaacs/nonrecursive-glob-match', 'brace-expansion', 'balanced-match', 'undici'].concat([
  'llparse',
  'llparse-frontend',
  'llparse-builder',
  'binary-search',
  'debug',
  'ms',
]);

/** The binding and the checks before V8 starts; 17-vrypt.patch calls them. */
const ownSources = ['vrypt.cc', 'vrypt.h'];

/** What configure.py looks into, the tools included. */
const icuFolders = ['common', 'i18n', 'stubdata', 'tools'];

/** What the tree is made from; stored in it, so that a changed patch makes a new tree. */
export function nodeTreeInputs(): readonly string[] {
  return [
    ...debianPatches,
    ...ourPatches().map((patch) => readFileSync(patch, 'utf8')),
    ...ownSources.map((file) => readFileSync(join(recipe, 'binding', file), 'utf8')),
    trimmedSha256,
    ...[
      'node',
      'node-debian',
      'node-gyp',
      'acorn',
      'acorn-walk',
      'simdutf',
      'icu',
      'jinja2',
      'markupsafe',
      ...modules,
    ].map((name) => findSource(name).sha256),
  ];
}

/** What configure and ninja write into a target's copy. */
const generated = new Set(['out', 'pch', 'config.gypi', 'config.mk', 'config.status', 'icu_config.gypi']);

/**
 * The target's own copy. Where there is one already, only the files that differ are written, so that after a changed patch
 * ninja compiles what depends on it and not V8 anew.
 */
export async function copyNodeTree({ places }: Job): Promise<void> {
  await makeNodeTree();
  if (existsSync(places.node)) await bringUpToDate(nodeTree, places.node);
  else await cp(nodeTree, places.node, { recursive: true, preserveTimestamps: true });
}

const force = { recursive: true, force: true } as const;

async function bringUpToDate(from: string, to: string): Promise<void> {
  const files = await filesIn(from);
  for (const name of await filesIn(to)) {
    if (!files.has(name) && !generated.has(name.split('/')[0] ?? '')) await rm(join(to, name));
  }
  for (const name of files) {
    const [before, after] = [await readFile(join(to, name)).catch(() => null), await readFile(join(from, name))];
    if (before?.equals(after)) continue;
    await mkdir(dirname(join(to, name)), { recursive: true });
    // The copy's time of change is now, and ninja goes by it.
    await copyFile(join(from, name), join(to, name));
    // clang does not notice that a header inside a precompiled one has changed.
    if (/\.(h|inc)$/.test(name)) await rm(join(to, 'pch', name.startsWith('deps/') ? '' : 'nodebase.pch'), force);
  }
}

async function filesIn(folder: string): Promise<Set<string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return new Set(
    entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name))),
  );
}

export async function makeNodeTree(): Promise<void> {
  const inputs = JSON.stringify(nodeTreeInputs());
  const record = join(nodeTree, '.inputs.json');
  if (existsSync(record) && (await readFile(record, 'utf8')) === inputs) return;
  await rm(nodeTree, { recursive: true, force: true });
  const tree = `${nodeTree}.partial`;
  await rm(tree, { recursive: true, force: true });
  await cp(await unpackSource(findSource('node')), tree, { recursive: true, preserveTimestamps: true });
  const packages = await installModules();

  await cp(join(await unpackSource(findSource('node-gyp')), 'gyp'), join(tree, 'tools/gyp'), { recursive: true });
  for (const [name, file, target] of [
    ['acorn', 'dist/acorn.js', 'deps/acorn/acorn/dist/acorn.js'],
    ['acorn', 'package.json', 'deps/acorn/acorn/package.json'],
    ['acorn-walk', 'dist/walk.js', 'deps/acorn/acorn-walk/dist/walk.js'],
  ] as const) {
    await mkdir(dirname(join(tree, target)), { recursive: true });
    await copyFile(join(await unpackSource(findSource(name)), file), join(tree, target));
  }
  await bundleModule(packages, 'undici/index-fetch.js', join(tree, 'deps/undici/undici.js'));
  await bundleModule(packages, 'minimatch/dist/commonjs/index.js', join(tree, 'deps/minimatch/index.js'));
  await mkdir(join(tree, 'deps/openssl'), { recursive: true });
  await writeFile(join(tree, 'deps/openssl/nodejs-openssl.cnf'), '');
  // V8's inspector protocol is generated with jinja2 even where the inspector is left out.
  for (const name of ['jinja2', 'markupsafe']) {
    const folder = join(await unpackSource(findSource(name)), 'usr/lib/python3/dist-packages', name);
    await cp(folder, join(tree, 'deps/v8/third_party', name), { recursive: true });
  }
  const simdutf = await unpackSource(findSource('simdutf'));
  const target = join(tree, 'deps/v8/third_party/simdutf');
  await mkdir(target, { recursive: true });
  await $`/usr/bin/python3 ${simdutf}/singleheader/amalgamate.py --source-dir ${simdutf}/src --include-dir ${simdutf}/include --output-dir ${target} --no-zip --no-readme`;
  // The first line says when. As a header that differs it would have all of V8 compiled anew.
  for (const name of await readdir(target)) {
    const text = await readFile(join(target, name), 'utf8');
    await writeFile(join(target, name), text.replace(/^\/\* auto-generated on .*/, '/* auto-generated */'));
  }
  await applyPatches(tree);
  for (const file of ownSources) await copyFile(join(recipe, 'binding', file), join(tree, 'src', file));
  await addIcu(tree);
  await writeFile(join(tree, '.inputs.json'), inputs);
  await rename(tree, nodeTree);
}

/** Where Node's build expects ICU: its sources, and the data that are compiled in. */
async function addIcu(tree: string): Promise<void> {
  const icu = await unpackSource(findSource('icu'));
  const target = join(tree, 'deps/icu');
  for (const folder of icuFolders)
    await cp(join(icu, 'source', folder), join(target, 'source', folder), { recursive: true });
  await copyFile(join(icu, 'LICENSE'), join(target, 'LICENSE'));
  await mkdir(join(target, 'source/data/in'), { recursive: true });
  await copyFile(await trimIcuData(tree), join(target, 'source/data/in', allLocalesName));
  await writeFile(join(target, 'icusmdt78.S'), dataAssembler());
}

/** Writes llhttp.c, api.c, http.c and llhttp.h into `folder`. */
export async function generateLlhttp(folder: string): Promise<void> {
  const llhttp = await unpackSource(findSource('llhttp'));
  const packages = await installModules();
  await mkdir(join(folder, 'src'), { recursive: true });
  await copyFile(join(llhttp, 'package.json'), join(folder, 'package.json'));
  await cp(join(llhttp, 'src/native'), join(folder, 'src/native'), { recursive: true });
  await bundle({
    entryPoints: [join(llhttp, 'bin/generate.ts')],
    outfile: join(folder, 'bin/generate.cjs'),
    bundle: true,
    platform: 'node',
    nodePaths: [packages],
    logLevel: 'error',
  });
  await $`${process.execPath} ${join(folder, 'bin/generate.cjs')}`;
  await copyFile(join(folder, 'build/llhttp.h'), join(folder, 'llhttp.h'));
  await copyFile(join(folder, 'build/c/llhttp.c'), join(folder, 'llhttp.c'));
  for (const name of ['api.c', 'http.c']) await copyFile(join(folder, 'src/native', name), join(folder, name));
}

/** A node_modules folder with links to the pinned sources, so that bundles contain exactly what sources.json names. */
async function installModules(): Promise<string> {
  const folder = join(work, 'node_modules');
  for (const name of modules) {
    const link = join(folder, name);
    const source = await unpackSource(findSource(name));
    await mkdir(dirname(link), { recursive: true });
    if (!existsSync(link)) await symlink(source, link);
  }
  return folder;
}

/**
 * As the packages' own `build:node` does. ASCII only: js2c stores a file with any other character as UTF-16, which doubles
 * its size, and Node's loader of built-in modules expects Latin-1 otherwise.
 */
async function bundleModule(packages: string, entry: string, outfile: string): Promise<void> {
  await bundle({
    entryPoints: [join(packages, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    define: { esbuildDetection: '1' },
    keepNames: entry.startsWith('undici'),
    charset: 'ascii',
    legalComments: 'none',
    nodePaths: [packages],
    // Comments name each module by its path, which must not depend on this checkout's.
    absWorkingDir: work,
    preserveSymlinks: true,
    logLevel: 'error',
  });
  // esbuild writes all code as ASCII; other characters remain in comments (typographic apostrophes in undici's).
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is the point
  await writeFile(outfile, (await readFile(outfile, 'utf8')).replace(/[^\x00-\x7f]/g, "'"));
}

async function applyPatches(tree: string): Promise<void> {
  const debian = await unpackSource(findSource('node-debian'));
  for (const patch of [...debianPatches.map((name) => join(debian, 'patches', `${name}.patch`)), ...ourPatches()]) {
    await $`cd ${tree} && patch -p1 --no-backup-if-mismatch < ${patch}`;
  }
}

function ourPatches(): string[] {
  const folder = join(recipe, 'patches');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.patch'))
    .sort()
    .map((name) => join(folder, name));
}

/**
 * Node's configuration: what is in the runtime and what is not. The one home of the flags; BUILD.json quotes them.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runsNatively } from '../sandbox/emulation.ts';
import { sha256FileSync } from '../support/hash.ts';
import type { Target } from '../targets/targets.ts';
import { optimise } from './compiler.ts';
import type { Job } from './job.ts';
import { recipe, symbols } from './paths.ts';

/** Left out: what a server never uses, and whatever runs foreign code inside the product (NODE_OPTIONS, the debugger). */
const features = [
  '--without-inspector',
  '--without-node-options',
  // ICU with the data of root and English (icu.ts); a program that needs all locales takes the data file along.
  '--with-intl=small-icu',
  '--without-npm',
  '--without-corepack',
  '--without-amaro',
  '--experimental-quic',
  '--v8-disable-object-print',
];

/**
 * Memory of a server with many threads. By default each thread maps V8's builtins again, next to its own code: 1.9 MiB of
 * RSS for calls that save a register. As arrays, the pieces of the code cache have names, for symbols.txt, and an
 * alignment: V8 copies what is not aligned.
 */
const memory = ['--v8-options=--no-short-builtin-calls', '--write-snapshot-as-array-literals'];

/** Linked from the system root as static archives ("shared" is configure's word for anything not in its own tree). */
const libraries: Record<string, string> = {
  gtest: '',
  zlib: 'z',
  zstd: 'zstd',
  brotli: 'brotlidec,brotlienc,brotlicommon',
  libuv: 'uv',
  cares: 'cares',
  nghttp2: 'nghttp2',
  ngtcp2: 'ngtcp2,ngtcp2_crypto_ossl',
  nghttp3: 'nghttp3',
  sqlite: 'sqlite3',
  ada: 'ada',
  simdjson: 'simdjson',
  'hdr-histogram': 'hdr_histogram_static',
  'http-parser': 'llhttp',
  openssl: 'ssl,crypto',
};

/** The CFLAGS of the environment come after gyp's own -O3, so -O2 wins: V8 gains nothing from -O3 but size. */
const cflags = optimise;
const ldflags = ['-Wl,--gc-sections', '-Wl,--icf=safe', '-Wl,-O2'];

/** What a native addon may call. Without it -rdynamic exports everything, and exported symbols cannot be left out. */
const exportsMap = join(recipe, 'exports.map');

/** 29.1 → 20.1 MB of RSS for a server that has just started: what it uses is in fewer pages. */
const order = [`-Wl,--symbol-ordering-file=${symbols}`, '-Wl,--no-warn-symbol-ordering'];

export function configureFlags(target: Target): string[] {
  return [
    '--ninja',
    '--prefix=/usr',
    '--dest-os=linux',
    `--dest-cpu=${target.architecture.node.cpu}`,
    // Not a cross build for gyp: the programs that V8's build runs are compiled for the target and run here, directly or
    // through QEMU. So V8 is compiled once, not twice, and the start-up snapshot and code cache remain.
    '--no-cross-compiling',
    ...features,
    ...memory,
    ...target.architecture.node.configure,
    ...(runsNatively(target) ? [] : ['--emulator=target-run']),
    ...Object.entries(libraries).flatMap(([name, files]) => [`--shared-${name}`, `--shared-${name}-libname=${files}`]),
  ];
}

/**
 * On ARM a kernel's pages may have 16 or 64 KiB. lld keeps the segments that far apart in memory, but not in the file, and
 * postject puts the program headers that it extends into the gap between two segments of the file if there is room;
 * otherwise behind the last segment, on a page that is writable. `checks/pages.ts` looks at the result.
 */
const largePages = ['-Wl,-z,max-page-size=65536', '-Wl,-z,separate-loadable-segments'];

function linkerFlags({ libc, architecture }: Target): string[] {
  return [
    ...ldflags,
    ...order,
    ...(architecture.node.cpu.startsWith('arm') ? largePages : []),
    ...(libc === 'glibc' ? [`-Wl,--version-script=${exportsMap}`] : []),
  ];
}

/** All flags that decide the result, for BUILD.json. */
export function allFlags(target: Target): string[] {
  return [...configureFlags(target), ...cflags, ...linkerFlags(target)];
}

/** Everything besides the code that decides the bytes of this step's result. */
export function configureInputs(target: Target): string[] {
  const files = target.libc === 'glibc' ? [symbols, exportsMap] : [symbols];
  return [...allFlags(target), ...files.map(sha256FileSync)];
}

export async function configureNode({ target, places, run }: Job): Promise<void> {
  const env = ['CC=target-cc', 'CXX=target-c++', 'AR=llvm-ar-19', 'RANLIB=llvm-ranlib-19', 'NM=llvm-nm-19']
    .concat('READELF=llvm-readelf-19', 'PKG_CONFIG=/bin/false')
    .concat(
      `CFLAGS=${cflags.join(' ')}`,
      `CXXFLAGS=${cflags.join(' ')} -Wno-everything`,
      `LDFLAGS=${linkerFlags(target).join(' ')}`,
    );
  await run`cd ${places.node} && env ${env} /usr/bin/python3 configure.py --verbose ${configureFlags(target)}`;
  // The sources of Node's modules as arrays too; there is no option for that.
  const js2c = join(places.out, 'obj/node_js2c.ninja');
  const asArrays = (await readFile(js2c, 'utf8')).replace(/-D(?=NODE_JS2C_USE_STRING_LITERALS)/, '-U');
  await writeFile(js2c, asArrays);
  // No request passes through ICU. Only the flags of the environment come last, so gyp cannot say this.
  for (const name of ['icuucx', 'icui18n']) {
    const ninja = join(places.out, `obj/tools/icu/${name}.ninja`);
    await writeFile(ninja, (await readFile(ninja, 'utf8')).replaceAll(' -O2 ', ' -Os '));
  }
}

/**
 * Node's configuration: what the runtime has and has not. One home for the flags; BUILD.json quotes them.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OPTIMISE } from './compiler.ts';
import type { Job } from './job.ts';
import { RECIPE, SYMBOLS } from './paths.ts';
import type { Platform } from './platforms.ts';
import { hashOf } from './sources.ts';

/** Left out: what a server never uses, and every way to run foreign code inside the product (NODE_OPTIONS, the debugger). */
const FEATURES = [
  '--without-inspector',
  '--without-node-options',
  '--without-intl',
  '--without-npm',
  '--without-corepack',
  '--without-amaro',
  '--without-sqlite',
  '--v8-disable-object-print',
];

/**
 * Memory of a server with many threads. By default each maps V8's builtins once more, next to its own code: 1.9 MiB of RSS for
 * calls that take a register less. As arrays, the code cache's pieces have names, for SYMBOLS, and an alignment: V8 copies
 * what is not aligned.
 */
const MEMORY = ['--v8-options=--no-short-builtin-calls', '--write-snapshot-as-array-literals'];

/** Taken from the system root as static archives ("shared" is configure's word for anything not in its own tree). */
const LIBRARIES: Record<string, string> = {
  gtest: '',
  zlib: 'z',
  zstd: 'zstd',
  brotli: 'brotlidec,brotlienc,brotlicommon',
  libuv: 'uv',
  cares: 'cares',
  nghttp2: 'nghttp2',
  ada: 'ada',
  simdjson: 'simdjson',
  'hdr-histogram': 'hdr_histogram_static',
  'http-parser': 'llhttp',
  openssl: 'ssl,crypto',
};

/** The CFLAGS of the environment come after gyp's own -O3, so -O2 wins: V8 gains nothing from -O3 but size. */
const CFLAGS = OPTIMISE;
const LDFLAGS = ['-Wl,--gc-sections', '-Wl,--icf=safe', '-Wl,-O2'];

/** What a native addon may call. Without it -rdynamic exports everything, and what is exported cannot be left out. */
const EXPORTS = join(RECIPE, 'exports.map');

/** 29.1 → 20.1 MB of RSS for a server that has just started: what is used lies in fewer pages. */
const ORDER = [`-Wl,--symbol-ordering-file=${SYMBOLS}`, '-Wl,--no-warn-symbol-ordering'];

export function configureFlags(platform: Platform): string[] {
  return [
    '--ninja',
    '--prefix=/usr',
    '--dest-os=linux',
    `--dest-cpu=${platform.cpu}`,
    // Not a cross build for gyp: the programs that V8 runs while it is built are compiled for the target and run here,
    // directly or through QEMU. So V8 is compiled once, not twice, and the start-up snapshot and code cache stay.
    '--no-cross-compiling',
    ...FEATURES,
    ...MEMORY,
    ...platform.configure,
    ...(platform.emulator === null ? [] : ['--emulator=target-run']),
    ...Object.entries(LIBRARIES).flatMap(([name, files]) => [`--shared-${name}`, `--shared-${name}-libname=${files}`]),
  ];
}

function linkerFlags({ libc }: Platform): string[] {
  return [...LDFLAGS, ...ORDER, ...(libc === 'glibc' ? [`-Wl,--version-script=${EXPORTS}`] : [])];
}

/** Everything that the result is configured with, for BUILD.json. */
export function allFlags(platform: Platform): string[] {
  return [...configureFlags(platform), ...CFLAGS, ...linkerFlags(platform)];
}

/** Everything of this step that decides the bytes of the result. */
export function configureInputs(platform: Platform): string[] {
  const files = platform.libc === 'glibc' ? [SYMBOLS, EXPORTS] : [SYMBOLS];
  return [...configureFlags(platform), ...CFLAGS, ...LDFLAGS, ...files.map(hashOf)];
}

export async function configureNode({ platform, places, run }: Job): Promise<void> {
  const env = ['CC=target-cc', 'CXX=target-c++', 'AR=llvm-ar-19', 'RANLIB=llvm-ranlib-19', 'NM=llvm-nm-19']
    .concat('READELF=llvm-readelf-19', 'PKG_CONFIG=/bin/false')
    .concat(
      `CFLAGS=${CFLAGS.join(' ')}`,
      `CXXFLAGS=${CFLAGS.join(' ')} -Wno-everything`,
      `LDFLAGS=${linkerFlags(platform).join(' ')}`,
    );
  await run`cd ${places.node} && env ${env} /usr/bin/python3 configure.py --verbose ${configureFlags(platform)}`;
  // The modules' sources as arrays too; there is no option for it.
  const js2c = join(places.out, 'obj/node_js2c.ninja');
  const asArrays = (await readFile(js2c, 'utf8')).replace(/-D(?=NODE_JS2C_USE_STRING_LITERALS)/, '-U');
  await writeFile(js2c, asArrays);
}

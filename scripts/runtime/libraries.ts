/**
 * The libraries that Node links to, compiled for the target as static archives in its system root.
 */
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findSource, unpackSource } from '../sources/sources.ts';
import type { Target } from '../targets/targets.ts';
import { cmakeFlags, optimise } from './compiler.ts';
import type { Job, Step } from './job.ts';
import { generateLlhttp } from './node-tree.ts';
import { recipe } from './paths.ts';
import { multiarchOf } from './platforms.ts';

/** An executable at a fixed address has no use for -fPIC. */
const staticFlags = ['-DBUILD_SHARED_LIBS=OFF', '-DBUILD_TESTING=OFF', '-DCMAKE_POSITION_INDEPENDENT_CODE=OFF'];

interface CmakeLibrary {
  readonly name: string;
  /** Of its CMake file, when that is not at the top. */
  readonly folder?: string;
  readonly flags: readonly string[];
  /** Below patches/. */
  readonly patches?: readonly string[];
}

const libuvPatches = ['libuv/threadpool.patch', 'libuv/y2038.patch'];
const zlibPatches = ['zlib/deflate.patch'];

const cmakeLibraries: readonly CmakeLibrary[] = [
  {
    name: 'zstd',
    folder: 'build/cmake',
    flags: [
      '-DZSTD_BUILD_SHARED=OFF',
      '-DZSTD_BUILD_STATIC=ON',
      '-DZSTD_BUILD_PROGRAMS=OFF',
      '-DZSTD_LEGACY_SUPPORT=OFF',
    ],
  },
  { name: 'brotli', flags: ['-DBROTLI_DISABLE_TESTS=ON', '-DBROTLI_BUILD_TOOLS=OFF'] },
  // -O3: every request passes through it.
  {
    name: 'libuv',
    flags: [
      '-DLIBUV_BUILD_SHARED=OFF',
      '-DLIBUV_BUILD_TESTS=OFF',
      '-DLIBUV_BUILD_BENCH=OFF',
      '-DCMAKE_C_FLAGS_RELEASE=-O3 -ffunction-sections -fdata-sections -DNDEBUG',
    ],
    patches: libuvPatches,
  },
  {
    name: 'c-ares',
    flags: ['-DCARES_STATIC=ON', '-DCARES_SHARED=OFF', '-DCARES_BUILD_TOOLS=OFF', '-DCARES_BUILD_TESTS=OFF'],
  },
  { name: 'nghttp2', flags: ['-DENABLE_LIB_ONLY=ON', '-DENABLE_DOC=OFF', '-DBUILD_STATIC_LIBS=ON'] },
  { name: 'ada', flags: ['-DADA_TESTING=OFF', '-DADA_TOOLS=OFF', '-DADA_BENCHMARKS=OFF', '-DADA_USE_SIMDUTF=OFF'] },
  {
    name: 'hdr-histogram',
    flags: ['-DHDR_HISTOGRAM_BUILD_PROGRAMS=OFF', '-DHDR_HISTOGRAM_BUILD_SHARED=OFF', '-DHDR_LOG_REQUIRED=DISABLED'],
  },
  { name: 'nghttp3', flags: ['-DENABLE_LIB_ONLY=ON', '-DENABLE_SHARED_LIB=OFF'] },
];

/** Requires OpenSSL, so it comes after it. Without OPENSSL_ROOT_DIR it would find the build machine's. */
const ngtcp2: CmakeLibrary = {
  name: 'ngtcp2',
  flags: ['-DENABLE_LIB_ONLY=ON', '-DENABLE_SHARED_LIB=OFF', '-DOPENSSL_ROOT_DIR=/usr', '-DOPENSSL_USE_STATIC_LIBS=ON'],
  patches: ['ngtcp2/refuse.patch'],
};

/** -Os: 1.74 → 1.22 MB. Otherwise as Node's deps/sqlite/sqlite.gyp: what node:sqlite calls and official Node offers. */
const sqliteFlags = [
  '-Os',
  ...['DEFAULT_MEMSTATUS=0', 'ENABLE_COLUMN_METADATA', 'ENABLE_DBSTAT_VTAB', 'ENABLE_FTS3']
    .concat('ENABLE_FTS3_PARENTHESIS', 'ENABLE_FTS5', 'ENABLE_GEOPOLY', 'ENABLE_MATH_FUNCTIONS', 'ENABLE_PERCENTILE')
    .concat('ENABLE_PREUPDATE_HOOK', 'ENABLE_RBU', 'ENABLE_RTREE', 'ENABLE_SESSION', 'THREADSAFE=2')
    .map((option) => `-DSQLITE_${option}`),
];

/** Left out: what neither a server's TLS nor Node's crypto uses. openssldir is the one that distributions use. */
const opensslOptions = [
  ...['no-shared', 'no-pic', 'no-tests', 'no-docs', 'no-apps', 'no-module', 'no-dso', 'no-engine', 'no-legacy'],
  ...['no-ssl3', 'no-comp', 'no-zlib', 'no-idea', 'no-md2', 'no-rc5'],
];

/** Files of ours that replace a part of musl or extend a library. */
const ownFiles = ['musl/malloc.c', 'musl/pthread_getattr_np.c', 'patches/simdjson-pad.h'].concat(
  [...libuvPatches, ...zlibPatches, ...(ngtcp2.patches ?? [])].map((patch) => `patches/${patch}`),
);

/** One step per library. They depend on all settings, because they are installed into one system root. */
export function librarySteps(target: Target): readonly Step[] {
  const isMusl = target.libc === 'musl';
  const is32Bit = target.architecture.elf.class === 32;
  const makers: readonly (readonly [name: string, make: Maker])[] = [
    ...(isMusl ? [['malloc', replaceMalloc] as const] : []),
    ...cmakeLibraries.map((library) => [library.name, cmakeMaker(library)] as const),
    ...(isMusl && is32Bit ? [['stack-bounds', replaceStackBounds] as const] : []),
    ['zlib', zlib],
    ['simdjson', simdjson],
    ['llhttp', llhttp],
    ['sqlite', sqlite],
    ['openssl', openssl],
    [ngtcp2.name, cmakeMaker(ngtcp2)],
  ];
  const inputs = [
    JSON.stringify([cmakeLibraries, ngtcp2, opensslOptions, sqliteFlags, optimise, staticFlags]),
    ...ownFiles.map((file) => readFileSync(join(recipe, file), 'utf8')),
  ];
  return makers.map(([name, make]) => ({
    name,
    module: import.meta.filename,
    inputs,
    make: async (job) => {
      const build = join(job.places.root, 'libraries', name);
      await rm(build, { recursive: true, force: true });
      await mkdir(build, { recursive: true });
      await make(job, build);
    },
  }));
}

type Maker = (job: Job, build: string) => Promise<void>;

function cmakeMaker({ name, folder = '', flags, patches }: CmakeLibrary): Maker {
  return async (job, build) => {
    const { target, places, run, jobs } = job;
    const original = await unpackSource(findSource(name));
    if (patches !== undefined) await copyPatched(job, original, join(build, 'source'), patches);
    const source = join(patches === undefined ? original : join(build, 'source'), folder);
    await run`cmake -S ${source} -B ${build} ${cmakeFlags(target)} -DCMAKE_FIND_ROOT_PATH=${places.sysroot}
      -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY
      -DCMAKE_INSTALL_PREFIX=${places.sysroot}/usr -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_TRY_COMPILE_TARGET_TYPE=EXECUTABLE
      ${staticFlags} ${flags}`;
    await run`ninja -C ${build} -j${jobs} install`;
  };
}

async function copyPatched({ run }: Job, from: string, to: string, patches: readonly string[]): Promise<void> {
  await mkdir(to, { recursive: true });
  await run`cp -a ${from}/. ${to}/`;
  for (const patch of patches) await run`cd ${to} && patch -p1 -i ${recipe}/patches/${patch}`;
}

/** The objects of musl's allocator in libc.a; each name occurs twice. */
const muslMalloc = ['malloc', 'lite_malloc', 'free', 'realloc', 'calloc', 'libc_calloc', 'aligned_alloc']
  .concat('posix_memalign', 'memalign', 'malloc_usable_size', 'donate')
  .flatMap((name) => [`${name}.lo`, `${name}.lo`]);

/** dlmalloc instead of musl's own allocator; the C file says why. */
async function replaceMalloc({ places, run }: Job, build: string): Promise<void> {
  const archive = join(places.sysroot, 'usr/lib/libc.a');
  const dlmalloc = join(await unpackSource(findSource('dlmalloc')), 'system/lib');
  await run`cd ${build} && target-cc ${optimise} -w -I${dlmalloc} -c ${recipe}/musl/malloc.c -o dlmalloc.lo`;
  for (const object of muslMalloc) await run`llvm-ar-19 d ${archive} ${object}`;
  await run`llvm-ar-19 rcs ${archive} ${build}/dlmalloc.lo`;
}

/** Puts our pthread_getattr_np into libc.a beside musl's own, which is renamed; the C file says why. */
async function replaceStackBounds({ target, places, run }: Job, build: string): Promise<void> {
  // The package's own: in the system root the object may be ours already.
  const original = join(places.root, 'packages/musl/usr/lib', multiarchOf(target), 'libc.a');
  const archive = join(places.sysroot, 'usr/lib/libc.a');
  await run`cd ${build} && llvm-ar-19 x ${original} pthread_getattr_np.lo
    && llvm-objcopy-19 --redefine-sym pthread_getattr_np=musl_pthread_getattr_np pthread_getattr_np.lo musl_getattr.lo`;
  await run`cd ${build} && target-cc ${optimise} -c ${recipe}/musl/pthread_getattr_np.c -o pthread_getattr_np.lo
    && llvm-ar-19 rcs ${archive} pthread_getattr_np.lo musl_getattr.lo`;
}

/** zlib's CMake file requires contrib/, which Debian's archive lacks; its own configure script does not. */
async function zlib(job: Job, build: string): Promise<void> {
  const { places, run, jobs } = job;
  const env = [`CC=target-cc`, 'AR=llvm-ar-19', 'RANLIB=llvm-ranlib-19', `CFLAGS=${optimise.join(' ')}`];
  await copyPatched(job, await unpackSource(findSource('zlib')), build, zlibPatches);
  await run`cd ${build} && env ${env} ./configure --static --prefix=/usr && make -j${jobs} libz.a`;
  await copyFile(join(build, 'libz.a'), join(places.sysroot, 'usr/lib/libz.a'));
  for (const header of ['zlib.h', 'zconf.h'])
    await copyFile(join(build, header), join(places.sysroot, 'usr/include', header));
}

/** One source, joined from hundreds by SQLite's own tools; those run here, so the build machine's compiler makes them. */
async function sqlite({ places, run, jobs }: Job, build: string): Promise<void> {
  const source = await unpackSource(findSource('sqlite'));
  await run`cd ${build} && env CC=clang-19 CFLAGS=-O1 ${source}/configure --disable-tcl && make -j${jobs} sqlite3.c`;
  await run`cd ${build} && target-cc ${optimise} ${sqliteFlags} -DNDEBUG -w -c sqlite3.c -o sqlite3.o`;
  await run`cd ${build} && llvm-ar-19 rcs ${places.sysroot}/usr/lib/libsqlite3.a sqlite3.o`;
  for (const header of ['sqlite3.h', 'sqlite3ext.h'])
    await copyFile(join(build, header), join(places.sysroot, 'usr/include', header));
}

/** One header and one source. Node calls simdjson::pad, which 3.9 does not have: ours is appended. */
async function simdjson({ places, run }: Job, build: string): Promise<void> {
  const source = await unpackSource(findSource('@nozbe/simdjson'));
  const header = join(places.sysroot, 'usr/include/simdjson.h');
  const text = await readFile(join(source, 'src/simdjson.h'), 'utf8');
  await writeFile(header, text + (await readFile(join(recipe, 'patches/simdjson-pad.h'), 'utf8')));
  await copyFile(join(source, 'src/simdjson.cpp'), join(build, 'simdjson.cpp'));
  await run`cd ${build} && target-c++ -std=c++20 ${optimise} -DNDEBUG -c simdjson.cpp -o simdjson.o`;
  await run`llvm-ar-19 rcs ${places.sysroot}/usr/lib/libsimdjson.a ${build}/simdjson.o`;
}

async function llhttp({ places, run }: Job, build: string): Promise<void> {
  await generateLlhttp(build);
  await copyFile(join(build, 'llhttp.h'), join(places.sysroot, 'usr/include/llhttp.h'));
  for (const name of ['llhttp', 'api', 'http']) {
    await run`cd ${build} && target-cc -O3 -ffunction-sections -fdata-sections -DNDEBUG -I. -c ${name}.c -o ${name}.o`;
  }
  await run`cd ${build} && llvm-ar-19 rcs ${places.sysroot}/usr/lib/libllhttp.a llhttp.o api.o http.o`;
}

async function openssl({ target, places, run, jobs }: Job, build: string): Promise<void> {
  const source = await unpackSource(findSource('openssl'));
  const env = ['CC=target-cc', 'CXX=target-c++', 'AR=llvm-ar-19', 'RANLIB=llvm-ranlib-19'];
  await run`cd ${build} && env ${env} perl ../../../sources/openssl/Configure ${target.architecture.node.openssl} --prefix=/usr --libdir=lib --openssldir=/etc/ssl ${opensslOptions} ${optimise}`;
  await run`cd ${build} && test -d ${source} && make -j${jobs} build_libs && make DESTDIR=${places.sysroot} install_dev`;
}

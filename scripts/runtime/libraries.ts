/**
 * The libraries that Node links to, compiled for the target as static archives in its system root.
 */
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cmakeFlags, OPTIMISE } from './compiler.ts';
import type { Job } from './job.ts';
import { generateLlhttp } from './node-tree.ts';
import { RECIPE } from './paths.ts';
import { findSource, unpackSource } from './sources.ts';

/** -fPIC is of no use in an executable at a fixed address. */
const STATIC = ['-DBUILD_SHARED_LIBS=OFF', '-DBUILD_TESTING=OFF', '-DCMAKE_POSITION_INDEPENDENT_CODE=OFF'];

const CMAKE_LIBRARIES: readonly { name: string; folder?: string; flags: readonly string[] }[] = [
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
  // -O3 where every request passes.
  {
    name: 'libuv',
    flags: [
      '-DLIBUV_BUILD_SHARED=OFF',
      '-DLIBUV_BUILD_TESTS=OFF',
      '-DLIBUV_BUILD_BENCH=OFF',
      '-DCMAKE_C_FLAGS_RELEASE=-O3 -ffunction-sections -fdata-sections -DNDEBUG',
    ],
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
];

/** Everything that a server's TLS and Node's crypto do not use is left out; openssldir is where every distribution keeps it. */
const OPENSSL = [
  ...['no-shared', 'no-pic', 'no-tests', 'no-docs', 'no-apps', 'no-module', 'no-dso', 'no-engine', 'no-legacy'],
  ...['no-ssl3', 'no-comp', 'no-zlib', 'no-idea', 'no-md2', 'no-rc5'],
];

/** Ours, in place of a part of musl, or added to a library. */
const OWN_FILES = ['musl/malloc.c', 'musl/pthread_getattr_np.c', 'patches/simdjson-pad.h'];

/** What a change of libraries must rebuild. */
export const LIBRARY_INPUTS = [
  JSON.stringify([CMAKE_LIBRARIES, OPENSSL, OPTIMISE, STATIC]),
  ...OWN_FILES.map((file) => readFileSync(join(RECIPE, file), 'utf8')),
];

export async function buildLibraries(job: Job): Promise<void> {
  if (job.platform.libc === 'musl') await once(job, 'malloc', (build) => replaceMalloc(job, build));
  for (const { name, folder = '', flags } of CMAKE_LIBRARIES) {
    await once(job, name, async (build) => {
      const source = join(await unpackSource(findSource(name)), folder);
      await job.run`cmake -S ${source} -B ${build} ${cmakeFlags(job.platform)} -DCMAKE_FIND_ROOT_PATH=${job.places.sysroot}
        -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY
        -DCMAKE_INSTALL_PREFIX=${job.places.sysroot}/usr -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_TRY_COMPILE_TARGET_TYPE=EXECUTABLE
        ${STATIC} ${flags}`;
      await job.run`ninja -C ${build} -j${job.jobs} install`;
    });
  }
  if (job.platform.libc === 'musl' && job.platform.elf.bits === 32) {
    await once(job, 'stack-bounds', (build) => replaceStackBounds(job, build));
  }
  await once(job, 'zlib', (build) => zlib(job, build));
  await once(job, 'simdjson', (build) => simdjson(job, build));
  await once(job, 'llhttp', (build) => llhttp(job, build));
  await once(job, 'openssl', (build) => openssl(job, build));
}

async function once(job: Job, name: string, make: (build: string) => Promise<void>): Promise<void> {
  const build = join(job.places.root, 'libraries', name);
  const record = join(build, '.inputs');
  const inputs = LIBRARY_INPUTS.join('\n');
  if (existsSync(record) && (await readFile(record, 'utf8')) === inputs) return;
  await rm(build, { recursive: true, force: true });
  await mkdir(build, { recursive: true });
  await make(build);
  await writeFile(record, inputs);
}

/** The objects of libc.a that musl's allocator is made of; two sources have the same name. */
const MUSL_MALLOC = ['malloc', 'lite_malloc', 'free', 'realloc', 'calloc', 'libc_calloc', 'aligned_alloc']
  .concat('posix_memalign', 'memalign', 'malloc_usable_size', 'donate')
  .flatMap((name) => [`${name}.lo`, `${name}.lo`]);

/** dlmalloc instead of musl's own allocator; why, says the C file. */
async function replaceMalloc({ places, run }: Job, build: string): Promise<void> {
  const archive = join(places.sysroot, 'usr/lib/libc.a');
  const dlmalloc = join(await unpackSource(findSource('dlmalloc')), 'system/lib');
  await run`cd ${build} && target-cc ${OPTIMISE} -w -I${dlmalloc} -c ${RECIPE}/musl/malloc.c -o dlmalloc.lo`;
  for (const object of MUSL_MALLOC) await run`llvm-ar-19 d ${archive} ${object}`;
  await run`llvm-ar-19 rcs ${archive} ${build}/dlmalloc.lo`;
}

/** Puts our pthread_getattr_np into libc.a beside musl's own, which gets another name; why, says the C file. */
async function replaceStackBounds({ places, run }: Job, build: string): Promise<void> {
  const archive = join(places.sysroot, 'usr/lib/libc.a');
  await run`cd ${build} && llvm-ar-19 x ${archive} pthread_getattr_np.lo
    && llvm-objcopy-19 --redefine-sym pthread_getattr_np=musl_pthread_getattr_np pthread_getattr_np.lo musl_getattr.lo`;
  await run`cd ${build} && target-cc ${OPTIMISE} -c ${RECIPE}/musl/pthread_getattr_np.c -o pthread_getattr_np.lo
    && llvm-ar-19 rcs ${archive} pthread_getattr_np.lo musl_getattr.lo`;
}

/** Debian's archive lacks contrib/, which zlib's CMake file wants: its own configure script does. */
async function zlib({ places, run, jobs }: Job, build: string): Promise<void> {
  const source = await unpackSource(findSource('zlib'));
  const env = [`CC=target-cc`, 'AR=llvm-ar-19', 'RANLIB=llvm-ranlib-19', `CFLAGS=${OPTIMISE.join(' ')}`];
  await run`cp -a ${source}/. ${build}/`;
  await run`cd ${build} && env ${env} ./configure --static --prefix=/usr && make -j${jobs} libz.a`;
  await copyFile(join(build, 'libz.a'), join(places.sysroot, 'usr/lib/libz.a'));
  for (const header of ['zlib.h', 'zconf.h'])
    await copyFile(join(build, header), join(places.sysroot, 'usr/include', header));
}

/** One header and one source; 3.9 has no simdjson::pad, which Node calls: ours is appended. */
async function simdjson({ places, run }: Job, build: string): Promise<void> {
  const source = await unpackSource(findSource('@nozbe/simdjson'));
  const header = join(places.sysroot, 'usr/include/simdjson.h');
  const text = await readFile(join(source, 'src/simdjson.h'), 'utf8');
  await writeFile(header, text + (await readFile(join(RECIPE, 'patches/simdjson-pad.h'), 'utf8')));
  await copyFile(join(source, 'src/simdjson.cpp'), join(build, 'simdjson.cpp'));
  await run`cd ${build} && target-c++ -std=c++20 ${OPTIMISE} -DNDEBUG -c simdjson.cpp -o simdjson.o`;
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

async function openssl({ platform, places, run, jobs }: Job, build: string): Promise<void> {
  const source = await unpackSource(findSource('openssl'));
  const env = ['CC=target-cc', 'CXX=target-c++', 'AR=llvm-ar-19', 'RANLIB=llvm-ranlib-19'];
  await run`cd ${build} && env ${env} perl ../../../sources/openssl/Configure ${platform.openssl} --prefix=/usr --libdir=lib --openssldir=/etc/ssl ${OPENSSL} ${OPTIMISE}`;
  await run`cd ${build} && test -d ${source} && make -j${jobs} build_libs && make DESTDIR=${places.sysroot} install_dev`;
}

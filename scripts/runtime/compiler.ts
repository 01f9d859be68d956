/**
 * The compiler of one runtime: clang 19 under the names `target-cc` and `target-c++` (and QEMU as `target-run`), with the target's system root,
 * its own builtins, and libc++, libc++abi and libunwind as static libraries.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job } from './job.ts';
import { placesOf, WORK } from './paths.ts';
import type { Platform } from './platforms.ts';
import { findSource, unpackSource } from './sources.ts';

/** What every object is compiled with, whichever build system asks. */
export const OPTIMISE = ['-O2', '-ffunction-sections', '-fdata-sections'];

/**
 * What postject needs, repeated after everything that a build system passes because Node's own -z relro would win.
 * norelro: lld's .relro_padding counts as a second bss-like segment, and a 32-bit file is refused.
 * build-id: into a file without any note segment it injects nothing, and says that all went well.
 */
const LAST = ['-Wl,-z,norelro', '-Wl,--build-id=sha1'];

/** -fno-pie: executables at a fixed address, as Node's official ones; on i686 position-independent code costs a register. */
export function compilerFlags(platform: Platform): string[] {
  const { sysroot, resource } = placesOf(platform);
  return [
    `--target=${platform.triple}`,
    `--sysroot=${sysroot}`,
    `-resource-dir=${resource}`,
    ...platform.cpuFlags,
    '-fno-pie',
    '-rtlib=compiler-rt',
    '--unwindlib=libunwind',
    '-fuse-ld=lld',
    ...(platform.libc === 'musl' ? ['-static'] : ['-no-pie', '-static-libgcc', ...SAME_CTYPE]),
    ...LAST,
    '-Wno-unused-command-line-argument',
    `-ffile-prefix-map=${WORK}/${platform.triple}/=`,
    `-ffile-prefix-map=${WORK}/=`,
  ];
}

/** libc++ takes its own table of character classes for musl; with it for glibc too, <locale>'s masks have the same values. */
const SAME_CTYPE = ['-D_LIBCPP_PROVIDES_DEFAULT_RUNE_TABLE'];

/** The names carry no path and no triple, so that what a build system writes about its compiler is the same everywhere. */
export async function writeCompilers(platform: Platform): Promise<void> {
  const places = placesOf(platform);
  const { bin, resource, root } = places;
  await mkdir(bin, { recursive: true });
  await mkdir(resource, { recursive: true });
  if (!existsSync(join(resource, 'include'))) {
    await symlink('/usr/lib/llvm-19/lib/clang/19/include', join(resource, 'include'));
  }
  // An object that the sibling has already compiled is copied from there (core.ts).
  const reuse = platform.core === null ? '' : REUSE.replaceAll('CORE', join(root, 'core'));
  for (const [name, clang, extra] of [
    ['target-cc', 'clang-19', ''],
    ['target-c++', 'clang++-19', '-stdlib=libc++'],
  ] as const) {
    const script = `#!/bin/sh\n${reuse}exec /usr/bin/${clang} ${compilerFlags(platform).join(' ')} ${extra} "$@" ${LAST.join(' ')}\n`;
    await writeFile(join(bin, name), script);
    await chmod(join(bin, name), 0o755);
  }
  await writeEmulator(join(bin, 'target-run'), platform, places.sysroot);
}

/** A dynamic executable finds its loader and its libc in the system root. */
async function writeEmulator(file: string, { emulator }: Platform, sysroot: string): Promise<void> {
  if (emulator === null) return;
  await writeFile(file, `#!/bin/sh\nexec ${emulator} -L ${sysroot} "$@"\n`);
  await chmod(file, 0o755);
}

const REUSE = `if [ -d CORE ]; then
  previous=
  for argument; do
    if [ "$previous" = -o ]; then object=$argument; elif [ "$previous" = -MF ]; then depends=$argument; fi
    previous=$argument
  done
  if [ -n "$object" ] && [ -e "CORE/$object" ]; then
    [ -z "$depends" ] || printf '%s:\\n' "$object" > "$depends"
    exec cp "CORE/$object" "$object"
  fi
fi
`;

export async function buildCompilerRuntimes({ platform, places, run, jobs }: Job): Promise<void> {
  const llvm = await unpackSource(findSource('llvm'));
  const musl = platform.libc === 'musl';
  const builtins = join(places.root, 'builtins');
  await rm(builtins, { recursive: true, force: true });
  await run`cmake -S ${llvm}/compiler-rt/lib/builtins -B ${builtins} ${cmakeFlags(platform)}
    -DCMAKE_INSTALL_PREFIX=${places.resource} -DLLVM_ENABLE_PER_TARGET_RUNTIME_DIR=ON
    -DCOMPILER_RT_DEFAULT_TARGET_ONLY=ON -DCOMPILER_RT_BUILD_CRT=ON -DCOMPILER_RT_BAREMETAL_BUILD=OFF
    -DCOMPILER_RT_EXCLUDE_ATOMIC_BUILTIN=OFF -DLLVM_CMAKE_DIR=${llvm}/llvm -DLLVM_CONFIG_PATH=`;
  await run`ninja -C ${builtins} -j${jobs} install`;

  const runtimes = join(places.root, 'libcxx');
  await rm(runtimes, { recursive: true, force: true });
  // HAS_CXA_THREAD_ATEXIT_IMPL: cmake's check compiles without linking and finds it falsely; musl has none, and with
  // libc++abi's own fallback both libcs behave alike.
  await run`cmake -S ${llvm}/runtimes -B ${runtimes} ${cmakeFlags(platform)}
    -DCMAKE_INSTALL_PREFIX=${places.sysroot}/usr ${'-DLLVM_ENABLE_RUNTIMES=libunwind;libcxxabi;libcxx'}
    -DLLVM_ENABLE_PER_TARGET_RUNTIME_DIR=OFF -DLLVM_INCLUDE_TESTS=OFF -DLLVM_INCLUDE_DOCS=OFF
    -DLIBUNWIND_ENABLE_SHARED=OFF -DLIBUNWIND_USE_COMPILER_RT=ON -DLIBUNWIND_INCLUDE_TESTS=OFF
    -DLIBCXXABI_ENABLE_SHARED=OFF -DLIBCXXABI_USE_COMPILER_RT=ON -DLIBCXXABI_USE_LLVM_UNWINDER=ON
    -DLIBCXXABI_INCLUDE_TESTS=OFF -DLIBCXXABI_HAS_CXA_THREAD_ATEXIT_IMPL=OFF
    -DLIBCXX_ENABLE_SHARED=OFF -DLIBCXX_USE_COMPILER_RT=ON -DLIBCXX_HAS_MUSL_LIBC=${musl ? 'ON' : 'OFF'}
    -DLIBCXX_HAS_ATOMIC_LIB=OFF -DLIBCXX_INCLUDE_TESTS=OFF -DLIBCXX_INCLUDE_BENCHMARKS=OFF
    -DLIBCXX_ENABLE_STATIC_ABI_LIBRARY=ON -DLIBCXX_CXX_ABI=libcxxabi`;
  await run`ninja -C ${runtimes} -j${jobs} install`;
}

/** For every CMake project that is compiled for the target; checks compile only, because nothing may link yet. */
export function cmakeFlags(platform: Platform): string[] {
  const release = [...OPTIMISE, '-DNDEBUG'].join(' ');
  return [
    ...['-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', '-DCMAKE_SYSTEM_NAME=Linux'],
    `-DCMAKE_SYSTEM_PROCESSOR=${platform.triple.split('-')[0]}`,
    ...['-DCMAKE_C_COMPILER=target-cc', '-DCMAKE_CXX_COMPILER=target-c++', '-DCMAKE_ASM_COMPILER=target-cc'],
    ...['C', 'CXX', 'ASM'].map((language) => `-DCMAKE_${language}_COMPILER_TARGET=${platform.triple}`),
    ...['-DCMAKE_AR=/usr/bin/llvm-ar-19', '-DCMAKE_RANLIB=/usr/bin/llvm-ranlib-19'],
    `-DCMAKE_C_FLAGS_RELEASE=${release}`,
    `-DCMAKE_CXX_FLAGS_RELEASE=${release}`,
    '-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY',
  ];
}

/**
 * The compiler of one runtime: clang 19 under the names `target-cc` and `target-c++` (and QEMU as `target-run`), with the
 * target's system root, its own builtins, and libc++, libc++abi and libunwind as static libraries.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { emulatorFor } from '../sandbox/emulation.ts';
import { findSource, unpackSource } from '../sources/sources.ts';
import type { Target } from '../targets/targets.ts';
import type { Job } from './job.ts';
import { placesOf, work } from './paths.ts';
import { v8SourceOf } from './platforms.ts';

/** The flags that every build system passes for every object. */
export const optimise = ['-O2', '-ffunction-sections', '-fdata-sections'];

/**
 * Required by postject, and placed after everything that a build system passes, because Node's own -z relro would win.
 * norelro: lld's .relro_padding counts as a second bss-like segment, and a 32-bit file is refused.
 * build-id: into a file without a note segment it injects nothing, and reports success.
 */
const lastFlags = ['-Wl,-z,norelro', '-Wl,--build-id=sha1'];

/** -fno-pie: executables at a fixed address, like Node's official ones; on i686 position-independent code costs a register. */
export function compilerFlags(target: Target): string[] {
  const { sysroot, resource } = placesOf(target);
  return [
    `--target=${target.triple}`,
    `--sysroot=${sysroot}`,
    `-resource-dir=${resource}`,
    ...target.architecture.node.cpuFlags,
    '-fno-pie',
    '-rtlib=compiler-rt',
    '--unwindlib=libunwind',
    '-fuse-ld=lld',
    ...(target.libc === 'musl' ? ['-static'] : ['-no-pie', '-static-libgcc', ...sameCtype]),
    ...lastFlags,
    '-Wno-unused-command-line-argument',
    `-ffile-prefix-map=${work}/${target.triple}/=`,
    `-ffile-prefix-map=${work}/=`,
  ];
}

/** libc++ uses its own table of character classes for musl; used for glibc too, it gives <locale>'s masks the same values. */
const sameCtype = ['-D_LIBCPP_PROVIDES_DEFAULT_RUNE_TABLE'];

/** The names contain no path and no triple, so that what build systems record about the compiler is the same everywhere. */
export async function writeCompilers(target: Target): Promise<void> {
  const places = placesOf(target);
  const { bin, resource, root } = places;
  await mkdir(bin, { recursive: true });
  await mkdir(resource, { recursive: true });
  if (!existsSync(join(resource, 'include'))) {
    await symlink('/usr/lib/llvm-19/lib/clang/19/include', join(resource, 'include'));
  }
  // An object that the other libc's runtime has already compiled is copied from there (share-v8-objects.ts).
  const reuse = v8SourceOf(target) === undefined ? '' : reuseScript.replaceAll('V8_OBJECTS', join(root, 'v8-objects'));
  for (const [name, clang, extra] of [
    ['target-cc', 'clang-19', ''],
    ['target-c++', 'clang++-19', '-stdlib=libc++'],
  ] as const) {
    const script = `#!/bin/sh\n${reuse}exec /usr/bin/${clang} ${compilerFlags(target).join(' ')} ${extra} "$@" ${lastFlags.join(' ')}\n`;
    await writeFile(join(bin, name), script);
    await chmod(join(bin, name), 0o755);
  }
  await writeEmulator(join(bin, 'target-run'), target, places.sysroot);
}

/** QEMU looks for the loader and the libc of a dynamic executable in the system root. */
async function writeEmulator(file: string, target: Target, sysroot: string): Promise<void> {
  const emulator = await emulatorFor(target);
  if (emulator === undefined) return;
  await writeFile(file, `#!/bin/sh\nexec ${emulator} -L ${sysroot} "$@"\n`);
  await chmod(file, 0o755);
}

const reuseScript = `if [ -d V8_OBJECTS ]; then
  previous=
  for argument; do
    if [ "$previous" = -o ]; then object=$argument; elif [ "$previous" = -MF ]; then depends=$argument; fi
    previous=$argument
  done
  if [ -n "$object" ] && [ -e "V8_OBJECTS/$object" ]; then
    [ -z "$depends" ] || printf '%s:\\n' "$object" > "$depends"
    exec cp "V8_OBJECTS/$object" "$object"
  fi
fi
`;

export async function buildCompilerRuntimes({ target, places, run, jobs }: Job): Promise<void> {
  const llvm = await unpackSource(findSource('llvm'));
  const musl = target.libc === 'musl';
  const builtins = join(places.root, 'builtins');
  await rm(builtins, { recursive: true, force: true });
  await run`cmake -S ${llvm}/compiler-rt/lib/builtins -B ${builtins} ${cmakeFlags(target)}
    -DCMAKE_INSTALL_PREFIX=${places.resource} -DLLVM_ENABLE_PER_TARGET_RUNTIME_DIR=ON
    -DCOMPILER_RT_DEFAULT_TARGET_ONLY=ON -DCOMPILER_RT_BUILD_CRT=ON -DCOMPILER_RT_BAREMETAL_BUILD=OFF
    -DCOMPILER_RT_EXCLUDE_ATOMIC_BUILTIN=OFF -DLLVM_CMAKE_DIR=${llvm}/llvm -DLLVM_CONFIG_PATH=`;
  await run`ninja -C ${builtins} -j${jobs} install`;

  const runtimes = join(places.root, 'libcxx');
  await rm(runtimes, { recursive: true, force: true });
  // HAS_CXA_THREAD_ATEXIT_IMPL: cmake's check compiles without linking and finds what musl does not have; with
  // libc++abi's own fallback both libcs behave alike.
  await run`cmake -S ${llvm}/runtimes -B ${runtimes} ${cmakeFlags(target)}
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

/** For every CMake project that is compiled for the target; its checks compile only, because nothing can link yet. */
export function cmakeFlags(target: Target): string[] {
  const release = [...optimise, '-DNDEBUG'].join(' ');
  return [
    ...['-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', '-DCMAKE_SYSTEM_NAME=Linux'],
    `-DCMAKE_SYSTEM_PROCESSOR=${target.triple.split('-')[0]}`,
    ...['-DCMAKE_C_COMPILER=target-cc', '-DCMAKE_CXX_COMPILER=target-c++', '-DCMAKE_ASM_COMPILER=target-cc'],
    ...['C', 'CXX', 'ASM'].map((language) => `-DCMAKE_${language}_COMPILER_TARGET=${target.triple}`),
    ...['-DCMAKE_AR=/usr/bin/llvm-ar-19', '-DCMAKE_RANLIB=/usr/bin/llvm-ranlib-19'],
    `-DCMAKE_C_FLAGS_RELEASE=${release}`,
    `-DCMAKE_CXX_FLAGS_RELEASE=${release}`,
    '-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY',
  ];
}

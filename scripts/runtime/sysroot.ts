/**
 * The C library and kernel headers that a runtime is compiled against, unpacked from Debian's packages.
 * musl: headers and the static library. glibc: Debian 11's 2.31, so that the result runs on everything newer.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { $ } from 'zx';
import { placesOf } from './paths.ts';
import type { Platform } from './platforms.ts';
import { fetchSource, findSource } from './sources.ts';

export async function makeSysroot(platform: Platform): Promise<void> {
  const { root, sysroot } = placesOf(platform);
  await rm(sysroot, { recursive: true, force: true });
  // They have been installed into it.
  await rm(join(root, 'libraries'), { recursive: true, force: true });
  await mkdir(join(sysroot, 'usr/include'), { recursive: true });
  await mkdir(join(sysroot, 'usr/lib'), { recursive: true });
  await (platform.libc === 'musl' ? muslSysroot(platform, sysroot) : glibcSysroot(platform, sysroot));
  await writeGtestStub(sysroot);
  // The atomic operations are in our builtins; this gives -latomic something to find.
  await $`llvm-ar-19 rcs ${sysroot}/usr/lib/libatomic.a`;
}

async function muslSysroot(platform: Platform, sysroot: string): Promise<void> {
  const musl = await unpackInto(join(sysroot, '../packages/musl'), `musl-${platform.debian}`);
  await $`cp -a ${musl}/usr/include/${platform.multiarch}/. ${sysroot}/usr/include/`;
  await $`cp -a ${musl}/usr/lib/${platform.multiarch}/. ${sysroot}/usr/lib/`;
  await rm(join(sysroot, 'usr/lib/libc.so'), { force: true });
  if (platform.cpu === 'arm64') await edit(join(sysroot, 'usr/include/bits/alltypes.h'), WIDE_MUSL);
  await edit(join(sysroot, 'usr/include/semaphore.h'), ALIGNED_SEMAPHORE);
  const linux = await unpackInto(join(sysroot, '../packages/linux'), 'linux-headers');
  for (const folder of ['linux', 'asm-generic', 'mtd', 'rdma', 'sound', 'video', 'xen', 'misc', 'drm']) {
    if (existsSync(join(linux, 'usr/include', folder))) {
      await $`cp -a ${linux}/usr/include/${folder} ${sysroot}/usr/include/`;
    }
  }
  await $`cp -aL ${linux}/usr/include/${platform.kernelMultiarch}/asm ${sysroot}/usr/include/asm`;
}

/**
 * V8's classes hold mutexes and condition variables. Where the two libcs lay these out differently no object could be
 * shared between them (core.ts), so the more generous of the two gives way.
 * aarch64: glibc's mutex has 48 bytes and musl's 40; musl uses the first 40 of what it is given, so its types grow.
 */
const WIDE_MUSL = [
  ['sizeof(long)==8?10:6]; volatile int __vi[sizeof(long)==8?10:6]', '12]; volatile int __vi[12]'],
  ['sizeof(long)==8?5:6]; } __u; } pthread_mutex_t;', '6]; } __u; } pthread_mutex_t;'],
  ['sizeof(long)==8?14:9]; volatile int __vi[sizeof(long)==8?14:9]', '16]; volatile int __vi[16]'],
  ['sizeof(long)==8?7:9]; } __u; } pthread_attr_t;', '8]; } __u; } pthread_attr_t;'],
  ['{ unsigned __attr; } pthread_mutexattr_t;', '{ unsigned __attr, __wide; } pthread_mutexattr_t;'],
  ['{ unsigned __attr; } pthread_condattr_t;', '{ unsigned __attr, __wide; } pthread_condattr_t;'],
] as const;

/**
 * 64-bit glibc aligns a semaphore to 8 and uses it by 64-bit atomics, musl has an array of int. Of V8's classes one
 * changes by it, the profiler's, which no object but log.cc's knows.
 */
const ALIGNED_SEMAPHORE = [['} sem_t;', '} __attribute__ ((__aligned__ (sizeof(long)))) sem_t;']] as const;

/** armv7: glibc aligns a condition variable to 8, but uses it by 32-bit atomics only there: 4, as musl, is enough. */
const NARROW_GLIBC = [
  ['} pthread_cond_t;', '} __attribute__ ((__packed__, __aligned__ (4))) pthread_cond_t;'],
] as const;

async function edit(file: string, changes: readonly (readonly [before: string, after: string])[]): Promise<void> {
  let text = await readFile(file, 'utf8');
  for (const [before, after] of changes) {
    if (!text.includes(before)) throw new Error(`${file} has no "${before}"`);
    text = text.replace(before, after);
  }
  await writeFile(file, text);
}

async function glibcSysroot(platform: Platform, sysroot: string): Promise<void> {
  for (const name of ['libc6', 'libc6-dev', 'linux-headers']) {
    await $`dpkg-deb -x ${await fetchSource(findSource(`${name}-${platform.debian}`))} ${sysroot}`;
  }
  // Debian's multiarch folders, flattened: one place for headers, one for libraries, as in the musl sysroot.
  await $`cp -a ${sysroot}/usr/include/${platform.multiarch}/. ${sysroot}/usr/include/`;
  await $`rm -r ${sysroot}/usr/include/${platform.multiarch}`;
  await $`cp -a ${sysroot}/usr/lib/${platform.multiarch}/. ${sysroot}/usr/lib/`;
  if (platform.cpu === 'arm') await edit(join(sysroot, 'usr/include/bits/pthreadtypes.h'), NARROW_GLIBC);
  // The linker would take a static archive where it finds no shared library beside it; only the libraries are linked.
  await $`find ${sysroot}/usr/lib -name '*.a' ! -name '*_nonshared.a' -delete`;
  await $`find ${sysroot}/usr/lib/${platform.multiarch} -name '*.so' -delete`;
  for (const library of ['dl', 'm', 'pthread', 'rt', 'c', 'util', 'resolv']) {
    // Links into /lib/<multiarch>, absolute in the package; libm.so and libc.so may be linker scripts with such paths.
    const path = join(sysroot, 'usr/lib', `lib${library}.so`);
    const real = (await $`ls ${sysroot}/lib/${platform.multiarch}`).stdout
      .split('\n')
      .find((name) => new RegExp(`^lib${library}\\.so\\.[0-9]+$`).test(name));
    if (real === undefined) continue;
    const text = existsSync(path) ? (await readFile(path)).subarray(0, 4).toString('latin1') : '';
    if (text === '/* G') continue;
    await rm(path, { force: true });
    await $`ln -s ../../lib/${platform.multiarch}/${real} ${path}`;
  }
  // So is the loader's on amd64, which libc.so's linker script names.
  const loader = `${sysroot}${platform.elf.interpreter}`;
  const target = await readlink(loader);
  if (isAbsolute(target)) await $`ln -srf ${sysroot}${target} ${loader}`;
}

async function unpackInto(folder: string, name: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await $`dpkg-deb -x ${await fetchSource(findSource(name))} ${folder}`;
  return folder;
}

/** Node includes gtest's FRIEND_TEST in one header of the product itself. */
async function writeGtestStub(sysroot: string): Promise<void> {
  await mkdir(join(sysroot, 'usr/include/gtest'), { recursive: true });
  const text = '#pragma once\n#define FRIEND_TEST(c, n) friend class c##_##n##_Test\n';
  await writeFile(join(sysroot, 'usr/include/gtest/gtest_prod.h'), text);
}

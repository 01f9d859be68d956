/**
 * The C library and kernel headers that a runtime is compiled against, from Debian's packages.
 * musl: headers and the static library. glibc: the oldest one that targets.json promises, so that the result runs on
 * everything newer.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { $ } from 'zx';
import { oldestLibc } from '../sandbox/oldest-libc.ts';
import { fetchSource, findSource } from '../sources/sources.ts';
import { Failure } from '../support/errors.ts';
import type { Target } from '../targets/targets.ts';
import { placesOf } from './paths.ts';
import { multiarchOf } from './platforms.ts';

export async function makeSysroot(target: Target): Promise<void> {
  const { root, sysroot } = placesOf(target);
  await rm(sysroot, { recursive: true, force: true });
  // The libraries were installed into the system root.
  await rm(join(root, 'libraries'), { recursive: true, force: true });
  await mkdir(join(sysroot, 'usr/include'), { recursive: true });
  await mkdir(join(sysroot, 'usr/lib'), { recursive: true });
  await (target.libc === 'musl' ? muslSysroot(target, sysroot) : glibcSysroot(target, sysroot));
  await writeGtestStub(sysroot);
  // The atomic operations are in our builtins; this gives -latomic something to find.
  await $`llvm-ar-19 rcs ${sysroot}/usr/lib/libatomic.a`;
}

async function muslSysroot(target: Target, sysroot: string): Promise<void> {
  const { architecture } = target;
  const multiarch = multiarchOf(target);
  const musl = await unpackInto(join(sysroot, '../packages/musl'), `musl-${architecture.debian}`);
  await $`cp -a ${musl}/usr/include/${multiarch}/. ${sysroot}/usr/include/`;
  await $`cp -a ${musl}/usr/lib/${multiarch}/. ${sysroot}/usr/lib/`;
  await rm(join(sysroot, 'usr/lib/libc.so'), { force: true });
  if (architecture.node.cpu === 'arm64') await edit(join(sysroot, 'usr/include/bits/alltypes.h'), wideMusl);
  await edit(join(sysroot, 'usr/include/semaphore.h'), alignedSemaphore);
  const linux = await unpackInto(join(sysroot, '../packages/linux'), 'linux-headers');
  for (const folder of ['linux', 'asm-generic', 'mtd', 'rdma', 'sound', 'video', 'xen', 'misc', 'drm']) {
    if (existsSync(join(linux, 'usr/include', folder))) {
      await $`cp -a ${linux}/usr/include/${folder} ${sysroot}/usr/include/`;
    }
  }
  await $`cp -aL ${linux}/usr/include/${architecture.multiarch}/asm ${sysroot}/usr/include/asm`;
}

/**
 * V8's classes contain mutexes and condition variables. Objects cannot be shared between two libcs that lay these out
 * differently (share-v8-objects.ts), so one of the two layouts is changed.
 * aarch64: glibc's mutex has 48 bytes and musl's 40; musl uses only the first 40, so its types can grow.
 */
const wideMusl = [
  ['sizeof(long)==8?10:6]; volatile int __vi[sizeof(long)==8?10:6]', '12]; volatile int __vi[12]'],
  ['sizeof(long)==8?5:6]; } __u; } pthread_mutex_t;', '6]; } __u; } pthread_mutex_t;'],
  ['sizeof(long)==8?14:9]; volatile int __vi[sizeof(long)==8?14:9]', '16]; volatile int __vi[16]'],
  ['sizeof(long)==8?7:9]; } __u; } pthread_attr_t;', '8]; } __u; } pthread_attr_t;'],
  ['{ unsigned __attr; } pthread_mutexattr_t;', '{ unsigned __attr, __wide; } pthread_mutexattr_t;'],
  ['{ unsigned __attr; } pthread_condattr_t;', '{ unsigned __attr, __wide; } pthread_condattr_t;'],
] as const;

/**
 * 64-bit glibc aligns a semaphore to 8 and accesses it with 64-bit atomics; musl's is an array of int. This affects one of
 * V8's classes, the profiler's, which only log.cc's object knows.
 */
const alignedSemaphore = [['} sem_t;', '} __attribute__ ((__aligned__ (sizeof(long)))) sem_t;']] as const;

/** armv7: glibc aligns a condition variable to 8, but accesses it only with 32-bit atomics: musl's 4 is enough. */
const narrowGlibc = [['} pthread_cond_t;', '} __attribute__ ((__packed__, __aligned__ (4))) pthread_cond_t;']] as const;

async function edit(file: string, changes: readonly (readonly [before: string, after: string])[]): Promise<void> {
  let text = await readFile(file, 'utf8');
  for (const [before, after] of changes) {
    if (!text.includes(before)) throw new Failure(`${file} must contain "${before}", does not`);
    text = text.replace(before, after);
  }
  await writeFile(file, text);
}

async function glibcSysroot(target: Target, sysroot: string): Promise<void> {
  const { architecture } = target;
  const multiarch = multiarchOf(target);
  oldestLibc(target);
  for (const name of ['libc6', 'libc6-dev', 'linux-headers']) {
    await $`dpkg-deb -x ${await fetchSource(findSource(`${name}-${architecture.debian}`))} ${sysroot}`;
  }
  // Debian's multiarch folders, flattened: one place for headers, one for libraries, as in the musl sysroot.
  await $`cp -a ${sysroot}/usr/include/${multiarch}/. ${sysroot}/usr/include/`;
  await $`rm -r ${sysroot}/usr/include/${multiarch}`;
  await $`cp -a ${sysroot}/usr/lib/${multiarch}/. ${sysroot}/usr/lib/`;
  if (architecture.node.cpu === 'arm') await edit(join(sysroot, 'usr/include/bits/pthreadtypes.h'), narrowGlibc);
  // The linker would use a static archive that has no shared library beside it.
  await $`find ${sysroot}/usr/lib -name '*.a' ! -name '*_nonshared.a' -delete`;
  await $`find ${sysroot}/usr/lib/${multiarch} -name '*.so' -delete`;
  for (const library of ['dl', 'm', 'pthread', 'rt', 'c', 'util', 'resolv']) {
    // The package's links into /lib/<multiarch> are absolute; libm.so and libc.so may be linker scripts instead.
    const path = join(sysroot, 'usr/lib', `lib${library}.so`);
    const real = (await $`ls ${sysroot}/lib/${multiarch}`).stdout
      .split('\n')
      .find((name) => new RegExp(`^lib${library}\\.so\\.[0-9]+$`).test(name));
    if (real === undefined) continue;
    const text = existsSync(path) ? (await readFile(path)).subarray(0, 4).toString('latin1') : '';
    if (text === '/* G') continue;
    await rm(path, { force: true });
    await $`ln -s ../../lib/${multiarch}/${real} ${path}`;
  }
  // amd64's loader, which libc.so's linker script names, is an absolute link too.
  const loader = `${sysroot}${target.interpreter}`;
  const linked = await readlink(loader);
  if (isAbsolute(linked)) await $`ln -srf ${sysroot}${linked} ${loader}`;
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

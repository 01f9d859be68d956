/**
 * What one runtime is compiled for: the eight triples and every fact about them that a build step needs.
 * `targets.json` says which targets the product ships; this table says how their runtimes come to be.
 */

export type Libc = 'musl' | 'glibc';
export type Cpu = 'x64' | 'ia32' | 'arm' | 'arm64';

export interface Platform {
  readonly triple: string;
  readonly libc: Libc;
  /** Node's own name of the architecture: configure's --dest-cpu and `process.arch`. */
  readonly cpu: Cpu;
  /** Debian's name of the architecture, in package file names. */
  readonly debian: string;
  /** The folder of architecture-dependent files in Debian's packages for this libc. */
  readonly multiarch: string;
  /** The folder of the kernel's asm headers in Debian's packages. */
  readonly kernelMultiarch: string;
  /** OpenSSL's Configure target. */
  readonly openssl: string;
  /** Compiler flags that fix the CPU baseline. */
  readonly cpuFlags: readonly string[];
  readonly configure: readonly string[];
  /** QEMU's user-mode emulator, or null where the x86-64 build machine runs the result itself. */
  readonly emulator: string | null;
  readonly elf: { readonly machine: string; readonly bits: 32 | 64; readonly interpreter: string | null };
  /** The runtime for the other C library whose V8 objects this one takes (core.ts); null where it compiles its own. */
  readonly core: string | null;
}

const CPUS = {
  x64: {
    cpu: 'x64',
    debian: 'amd64',
    gnu: 'x86_64-linux-gnu',
    openssl: 'linux-x86_64',
    cpuFlags: [],
    configure: [],
    emulator: null,
    machine: 'x86_64',
    bits: 64,
    loader: '/lib64/ld-linux-x86-64.so.2',
  },
  // SSE2 is the floor of V8 itself.
  ia32: {
    cpu: 'ia32',
    debian: 'i386',
    gnu: 'i386-linux-gnu',
    openssl: 'linux-x86',
    cpuFlags: ['-march=pentium4', '-mtune=generic', '-mfpmath=sse'],
    configure: [],
    emulator: null,
    machine: 'i386',
    bits: 32,
    loader: '/lib/ld-linux.so.2',
  },
  // vfpv3-d16 without NEON is what Debian's armhf promises; V8 looks for more at run time.
  arm: {
    cpu: 'arm',
    debian: 'armhf',
    gnu: 'arm-linux-gnueabihf',
    openssl: 'linux-armv4',
    cpuFlags: ['-march=armv7-a', '-mfpu=vfpv3-d16', '-mfloat-abi=hard'],
    configure: ['--with-arm-float-abi=hard', '--with-arm-fpu=vfpv3-d16'],
    emulator: 'qemu-arm-static',
    machine: 'arm',
    bits: 32,
    loader: '/lib/ld-linux-armhf.so.3',
  },
  arm64: {
    cpu: 'arm64',
    debian: 'arm64',
    gnu: 'aarch64-linux-gnu',
    openssl: 'linux-aarch64',
    cpuFlags: [],
    configure: [],
    emulator: 'qemu-aarch64-static',
    machine: 'aarch64',
    bits: 64,
    loader: '/lib/ld-linux-aarch64.so.1',
  },
} as const;

/** In the order in which `--all` builds: first the one that compiles V8, then its sibling for the other C library. */
export const PLATFORMS: readonly Platform[] = [
  platform('armv7-unknown-linux-musleabihf', 'arm', 'musl', null),
  platform('armv7-unknown-linux-gnueabihf', 'arm', 'glibc', 'armv7-unknown-linux-musleabihf'),
  platform('aarch64-unknown-linux-musl', 'arm64', 'musl', null),
  platform('aarch64-unknown-linux-gnu', 'arm64', 'glibc', 'aarch64-unknown-linux-musl'),
  platform('i686-unknown-linux-gnu', 'ia32', 'glibc', null),
  platform('i686-unknown-linux-musl', 'ia32', 'musl', 'i686-unknown-linux-gnu'),
  platform('x86_64-unknown-linux-musl', 'x64', 'musl', null),
  platform('x86_64-unknown-linux-gnu', 'x64', 'glibc', 'x86_64-unknown-linux-musl'),
];

export function findPlatform(triple: string): Platform | undefined {
  return PLATFORMS.find((platform) => platform.triple === triple);
}

function platform(triple: string, cpu: Cpu, libc: Libc, core: string | null): Platform {
  const facts = CPUS[cpu];
  return {
    triple,
    libc,
    cpu,
    debian: facts.debian,
    multiarch: libc === 'musl' ? facts.gnu.replace('-gnu', '-musl') : facts.gnu,
    kernelMultiarch: facts.gnu,
    openssl: facts.openssl,
    cpuFlags: facts.cpuFlags,
    configure: facts.configure,
    emulator: facts.emulator,
    elf: { machine: facts.machine, bits: facts.bits, interpreter: libc === 'musl' ? null : facts.loader },
    core,
  };
}

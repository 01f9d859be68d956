/**
 * The one table of architectures. A target is an architecture and a C library; everything that follows from its triple
 * follows from here: the product's ELF header and loader, how it is run, and how its Node is compiled.
 */

export type Libc = 'glibc' | 'musl';
export type Machine = 'x86_64' | 'i386' | 'aarch64' | 'arm';

export interface Architecture {
  /** The first part of the triple. */
  readonly name: string;
  /** What follows the C library in the triple. */
  readonly abi: '' | 'eabihf';
  readonly elf: { readonly machine: Machine; readonly class: 32 | 64 };
  /** glibc's dynamic loader. */
  readonly loader: string;
  /** The qemu-user command. */
  readonly emulator: string;
  /**
   * Machine code of `exit(0)`, if x86_64 CPUs can run it: the build machine tries it (sandbox/emulation.ts), because its
   * kernel need not allow it. null: a foreign CPU, always emulated.
   */
  readonly exitCode: string | null;
  /** As container engines name it. */
  readonly platform: string;
  /** Debian's name. */
  readonly debian: string;
  /** RPM's name. */
  readonly rpm: 'x86_64' | 'i686' | 'aarch64' | 'armv7hl';
  /** Alpine's name. */
  readonly alpine: 'x86_64' | 'x86' | 'aarch64' | 'armv7';
  /** The folder of Debian's architecture-dependent files. */
  readonly multiarch: string;
  readonly node: NodeArchitecture;
}

/** How Node is compiled for it. */
export interface NodeArchitecture {
  /** configure's --dest-cpu and `process.arch`. */
  readonly cpu: 'x64' | 'ia32' | 'arm' | 'arm64';
  /** OpenSSL's Configure target. */
  readonly openssl: string;
  /** Compiler flags that fix the CPU baseline. */
  readonly cpuFlags: readonly string[];
  readonly configure: readonly string[];
  /** xz's filters; `--x86` makes the relative addresses of x86 calls absolute first: i686 with glibc 12.1 → 11.4 MB. */
  readonly xz: readonly string[];
  /** The C library whose runtime compiles V8; the other one takes V8's objects from it (runtime/share-v8-objects.ts). */
  readonly compilesV8: Libc;
}

export const architectures: readonly Architecture[] = [
  {
    name: 'x86_64',
    abi: '',
    elf: { machine: 'x86_64', class: 64 },
    loader: '/lib64/ld-linux-x86-64.so.2',
    emulator: 'qemu-x86_64-static',
    // mov eax, 60; xor edi, edi; syscall
    exitCode: 'b83c00000031ff0f05',
    platform: 'linux/amd64',
    debian: 'amd64',
    rpm: 'x86_64',
    alpine: 'x86_64',
    multiarch: 'x86_64-linux-gnu',
    node: { cpu: 'x64', openssl: 'linux-x86_64', cpuFlags: [], configure: [], xz: ['--x86'], compilesV8: 'musl' },
  },
  {
    name: 'i686',
    abi: '',
    elf: { machine: 'i386', class: 32 },
    loader: '/lib/ld-linux.so.2',
    emulator: 'qemu-i386-static',
    // mov eax, 1; xor ebx, ebx; int 0x80
    exitCode: 'b80100000031dbcd80',
    platform: 'linux/386',
    debian: 'i386',
    rpm: 'i686',
    alpine: 'x86',
    multiarch: 'i386-linux-gnu',
    node: {
      cpu: 'ia32',
      openssl: 'linux-x86',
      // V8 itself requires SSE2.
      cpuFlags: ['-march=pentium4', '-mtune=generic', '-mfpmath=sse'],
      configure: [],
      xz: ['--x86'],
      compilesV8: 'glibc',
    },
  },
  {
    name: 'aarch64',
    abi: '',
    elf: { machine: 'aarch64', class: 64 },
    loader: '/lib/ld-linux-aarch64.so.1',
    emulator: 'qemu-aarch64-static',
    exitCode: null,
    platform: 'linux/arm64',
    debian: 'arm64',
    rpm: 'aarch64',
    alpine: 'aarch64',
    multiarch: 'aarch64-linux-gnu',
    node: { cpu: 'arm64', openssl: 'linux-aarch64', cpuFlags: [], configure: [], xz: [], compilesV8: 'musl' },
  },
  {
    name: 'armv7',
    abi: 'eabihf',
    elf: { machine: 'arm', class: 32 },
    loader: '/lib/ld-linux-armhf.so.3',
    emulator: 'qemu-arm-static',
    exitCode: null,
    platform: 'linux/arm/v7',
    debian: 'armhf',
    rpm: 'armv7hl',
    alpine: 'armv7',
    multiarch: 'arm-linux-gnueabihf',
    node: {
      cpu: 'arm',
      openssl: 'linux-armv4',
      // VFPv3 with 16 registers and no NEON is what Debian's armhf promises; V8 detects more at run time.
      cpuFlags: ['-march=armv7-a', '-mfpu=vfpv3-d16', '-mfloat-abi=hard'],
      configure: ['--with-arm-float-abi=hard', '--with-arm-fpu=vfpv3-d16'],
      xz: [],
      compilesV8: 'musl',
    },
  },
];

export function tripleOf({ name, abi }: Architecture, libc: Libc): string {
  return `${name}-unknown-linux-${libc === 'glibc' ? 'gnu' : 'musl'}${abi}`;
}

export interface Triple {
  readonly architecture: Architecture;
  readonly libc: Libc;
}

/** undefined for a triple that the table does not have. */
export function parseTriple(triple: string): Triple | undefined {
  return allTriples().find(({ architecture, libc }) => tripleOf(architecture, libc) === triple);
}

export function allTriples(): readonly Triple[] {
  return architectures.flatMap((architecture) => (['glibc', 'musl'] as const).map((libc) => ({ architecture, libc })));
}

/**
 * The Debian packages that a build needs on the machine; installed when we may.
 */
import { $ } from 'zx';

/** A command that each package brings, and the package. */
const NEEDS: Readonly<Record<string, string>> = {
  'clang++-19': 'clang-19',
  'ld.lld-19': 'lld-19',
  'llvm-nm-19': 'llvm-19',
  cmake: 'cmake',
  ninja: 'ninja-build',
  perl: 'perl',
  python3: 'python3',
  patch: 'patch',
  xz: 'xz-utils',
  curl: 'curl',
  make: 'make',
  ss: 'iproute2',
  'qemu-arm-static': 'qemu-user-static',
};

export async function installNeeds(): Promise<void> {
  const missing: string[] = [];
  for (const [command, name] of Object.entries(NEEDS)) {
    if ((await $({ nothrow: true, quiet: true })`command -v ${command}`).exitCode !== 0) missing.push(name);
  }
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0)
    throw new Error(`needs the Debian packages ${missing.join(' ')}; as root they are installed`);
  console.log(`installing ${missing.join(' ')}`);
  await $({
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })`apt-get update && apt-get install -y --no-install-recommends ${missing}`;
}

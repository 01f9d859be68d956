/** The tools of the operating system that a runtime build calls. */
import { needAll } from '../support/system-tools.ts';

/** The command to look for, and the Debian package that contains it. */
const tools: readonly (readonly [look: string, name: string])[] = [
  ['clang++-19', 'clang-19'],
  ['ld.lld-19', 'lld-19'],
  ['llvm-nm-19', 'llvm-19'],
  ['cmake', 'cmake'],
  ['ninja', 'ninja-build'],
  ['make', 'make'],
  ['perl', 'perl'],
  ['python3', 'python3'],
  ['patch', 'patch'],
  ['xz', 'xz-utils'],
  ['curl', 'curl'],
  ['ss', 'iproute2'],
  ['qemu-arm-static', 'qemu-user-static'],
];

export async function needBuildPackages(): Promise<void> {
  await needAll(tools.map(([look, name]) => ({ look, packages: [name], to: 'build runtimes' })));
}

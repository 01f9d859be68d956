/**
 * The tools of the operating system that a build needs; `need` installs a missing one when it may.
 */
import { need } from '../need.ts';

/** The command to look for, and Debian's package that brings it. */
const TOOLS: readonly (readonly [look: string, name: string])[] = [
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

export async function installNeeds(): Promise<void> {
  for (const [look, name] of TOOLS) await need({ look, packages: [name], to: 'build runtimes' });
}

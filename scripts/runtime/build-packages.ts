/** The tools of the operating system that building and checking a runtime call. */
import { needAll, type Tool } from '../support/system-tools.ts';

/** The command to look for, and the Debian package that contains it. */
type Package = readonly [look: string, name: string];

const builders: readonly Package[] = [
  ['clang++-19', 'clang-19'],
  ['ld.lld-19', 'lld-19'],
  ['llvm-nm-19', 'llvm-19'],
  ['cmake', 'cmake'],
  ['ninja', 'ninja-build'],
  ['make', 'make'],
  ['perl', 'perl'],
  ['python3', 'python3'],
  ['patch', 'patch'],
];

const checkers: readonly Package[] = [
  ['xz', 'xz-utils'],
  ['curl', 'curl'],
  ['ss', 'iproute2'],
  ['qemu-arm-static', 'qemu-user-static'],
];

/** Everything that a build calls; it ends with the checks. */
export async function needBuildPackages(): Promise<void> {
  await needAll([...toolsOf(builders, 'build runtimes'), ...toolsOf(checkers, 'check runtimes')]);
}

export async function needCheckPackages(): Promise<void> {
  await needAll(toolsOf(checkers, 'check runtimes'));
}

function toolsOf(packages: readonly Package[], to: string): Tool[] {
  return packages.map(([look, name]) => ({ look, packages: [name], to }));
}

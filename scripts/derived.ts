/**
 * What follows from a row of `targets.json` and from nothing else: file names, libraries allowed, container images,
 * the matrix of continuous integration, the table for people. Pure functions.
 */
import path from 'node:path';
import { type Tool, tools } from './need.ts';
import { build, dist, name, version } from './project.ts';
import type { Budget, Target } from './targets.ts';

export function archiveName(target: Target): string {
  return `${name}-v${version}-${target.triple}.tar.gz`;
}

export function archivePath(target: Target): string {
  return path.join(dist, archiveName(target));
}

/** Where a step keeps its result for a target. */
export function builtPath(step: string, target: Target, file: string): string {
  return path.join(build, step, target.triple, file);
}

export const checksumsPath: string = path.join(dist, 'checksums-sha256.txt');
export const manifestPath: string = path.join(dist, 'manifest.json');

export function isStatic(target: Target): boolean {
  return target.interpreter === null;
}

export function budgetOf(target: Target): Budget {
  return target.runtime?.kind === 'npm' ? target.runtime.budget : target.budget;
}

/** Everything that DT_NEEDED may name. A static file needs nothing. */
export function allowedLibraries(target: Target): readonly string[] {
  if (target.interpreter === null) return [];
  const libc = ['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1'];
  return [
    ...libc,
    path.basename(target.interpreter),
    ...(target.runtime?.kind === 'npm' ? target.runtime.libraries : []),
  ];
}

/** An image of the oldest libc that we promise, in which the release workflow runs the archive for real. */
export function containerImage(target: Target): string {
  return target.libc === 'glibc' ? 'debian:bullseye-slim' : 'alpine:3.22';
}

export interface MatrixRow {
  readonly target: string;
  readonly archive: string;
  readonly platform: string;
  readonly image: string;
  readonly static: boolean;
  readonly emulated: boolean;
}

/** The `include` list of the release workflow: targets that have a runtime. */
export function matrixRows(targets: readonly Target[]): MatrixRow[] {
  return targets
    .filter((target) => target.runtime !== null)
    .map((target) => ({
      target: target.triple,
      archive: archiveName(target),
      platform: target.platform,
      image: containerImage(target),
      static: isStatic(target),
      emulated: target.emulator !== null,
    }));
}

/** The table of the README, in Markdown. */
export function markdownTable(targets: readonly Target[]): string {
  const rows = targets.map((target) => [
    `\`${target.triple}\``,
    isStatic(target) ? 'none: fully static' : `glibc ${target.oldest.glibc} or newer`,
    `${target.oldest.kernel} or newer`,
    target.platform,
    target.runtime === null ? 'no runtime yet' : target.emulator === null ? 'natively' : 'under QEMU',
  ]);
  const head = ['Target', 'Needs', 'Linux', 'Container platform', 'Tested'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Every tool of the operating system that the steps call for this target. Who is not root cannot change the root. */
export function toolsFor(target: Target, isRoot: boolean): readonly Tool[] {
  const { runtime, emulator } = target;
  return [
    ...(runtime?.kind === 'folder' || target.elf.class === 32 ? [tools.xz] : []),
    ...(runtime?.kind === 'npm' ? [stripper(target)] : []),
    ...(emulator === null ? [] : [emulatorTool(emulator)]),
    ...(isRoot && rootFolder(target) !== null ? [] : sysroot(target).tools),
    tools.curl,
  ];
}

/** The packages of all of them, sorted. */
export function packagesFor(targets: readonly Target[]): string[] {
  return [...new Set(targets.flatMap((target) => toolsFor(target, true)).flatMap((tool) => tool.packages))].sort();
}

export function emulatorTool(emulator: string): Tool {
  return { look: emulator, packages: ['qemu-user-static'], to: 'run targets of other architectures' };
}

export function stripper(target: Target): Tool {
  return target.elf.machine === 'aarch64' ? tools.stripArm64 : tools.strip;
}

/** Debian's name for the architecture. */
export function debianArchitecture(target: Target): string {
  return { x86_64: 'amd64', i386: 'i386', aarch64: 'arm64', arm: 'armhf' }[target.elf.machine];
}

/**
 * The root folder in which a product runs when it is tried: nothing but the product, or with the oldest libc that we
 * promise. null = the machine's own, because it needs libraries that Debian's libc6 does not have.
 */
export function rootFolder(target: Target): 'empty' | 'oldest libc' | null {
  if (isStatic(target)) return 'empty';
  return target.runtime?.kind === 'npm' ? null : 'oldest libc';
}

/** What a glibc program needs from a machine on whose own folders it is tried. */
export function sysroot(target: Target): { readonly folder?: string; readonly tools: readonly Tool[] } {
  if (target.interpreter === null) return { tools: [] };
  const to = `run ${target.triple}`;
  const needsCxx = target.runtime?.kind === 'npm';
  if (target.elf.machine === 'i386') return { tools: [{ look: target.interpreter, packages: ['libc6-i386'], to }] };
  if (target.elf.machine === 'x86_64') {
    const cxx = { look: '/usr/lib/x86_64-linux-gnu/libstdc++.so.6', packages: ['libstdc++6'], to };
    return { tools: needsCxx ? [cxx] : [] };
  }
  const folder = target.elf.machine === 'arm' ? '/usr/arm-linux-gnueabihf' : '/usr/aarch64-linux-gnu';
  const arch = debianArchitecture(target);
  const libc = { look: folder + target.interpreter, packages: [`libc6-${arch}-cross`], to };
  const cxx = { look: `${folder}/lib/libstdc++.so.6`, packages: [`libstdc++6-${arch}-cross`], to };
  return { folder, tools: needsCxx ? [libc, cxx] : [libc] };
}

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

/** Every tool of the operating system that the steps call for this target. */
export function toolsFor(target: Target): readonly Tool[] {
  const { runtime, emulator } = target;
  return [
    ...(runtime?.kind === 'folder' || target.elf.class === 32 ? [tools.xz] : []),
    ...(runtime?.kind === 'npm' ? [stripper(target)] : []),
    ...(emulator === null ? [] : [emulatorTool(emulator)]),
    ...sysroot(target).tools,
    tools.curl,
  ];
}

/** The packages of all of them, sorted. */
export function packagesFor(targets: readonly Target[]): string[] {
  return [...new Set(targets.flatMap(toolsFor).flatMap((tool) => tool.packages))].sort();
}

export function emulatorTool(emulator: string): Tool {
  return { look: emulator, packages: ['qemu-user-static'], to: 'run targets of other architectures' };
}

export function stripper(target: Target): Tool {
  return target.elf.machine === 'aarch64' ? tools.stripArm64 : tools.strip;
}

/** What an emulated or 32-bit glibc program needs from the machine that tests it. */
export function sysroot(target: Target): { readonly folder?: string; readonly tools: readonly Tool[] } {
  if (target.interpreter === null) return { tools: [] };
  const to = `run ${target.triple}`;
  const needsCxx = target.runtime?.kind === 'npm';
  switch (target.elf.machine) {
    case 'x86_64':
      return {
        tools: needsCxx ? [{ look: '/usr/lib/x86_64-linux-gnu/libstdc++.so.6', packages: ['libstdc++6'], to }] : [],
      };
    case 'i386':
      return { tools: [{ look: target.interpreter, packages: ['libc6-i386'], to }] };
    default: {
      const [folder, arch] =
        target.elf.machine === 'arm' ? ['/usr/arm-linux-gnueabihf', 'armhf'] : ['/usr/aarch64-linux-gnu', 'arm64'];
      const libc = { look: folder + target.interpreter, packages: [`libc6-${arch}-cross`], to };
      const cxx = { look: `${folder}/lib/libstdc++.so.6`, packages: [`libstdc++6-${arch}-cross`], to };
      return { folder, tools: needsCxx ? [libc, cxx] : [libc] };
    }
  }
}

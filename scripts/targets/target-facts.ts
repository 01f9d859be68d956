/**
 * What follows from a target and from nothing else: paths, allowed libraries, container images, the matrix of continuous
 * integration, the table for people. Pure functions.
 */
import path from 'node:path';
import { program } from '../program/program.ts';
import { build, cache, isOwnProject, root } from '../support/checkout.ts';
import { type Tool, tools } from '../support/system-tools.ts';
import { archiveFolder, tarball } from './artifacts.ts';
import type { Budget, Target } from './targets.ts';

/** The path of a step's result for a target. */
export function builtPath(step: string, target: Target, file: string): string {
  return path.join(build, step, target.triple, file);
}

/** The path of what all projects share. */
export function sharedPath(step: string, target: Target, file: string): string {
  return path.join(cache, step, target.triple, file);
}

/** A release: archives, checksums, manifest. */
export const dist: string = path.resolve(root, program.out);
export const checksumsPath: string = path.join(dist, 'checksums-sha256.txt');
export const manifestPath: string = path.join(dist, 'manifest.json');

export function isStatic(target: Target): boolean {
  return target.interpreter === null;
}

/** True for a CPU that is not of the build machine's family: it is always emulated. */
export function isForeign(target: Target): boolean {
  return target.architecture.exitCode === null;
}

/** Everything that DT_NEEDED may name. A static file needs nothing. */
export function allowedLibraries(target: Target): readonly string[] {
  if (target.interpreter === null) return [];
  const libc = ['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1'];
  return [...libc, path.basename(target.interpreter)];
}

/** The program's own budget goes first; only our own product is held to the one of targets.json. */
export function budgetOf(target: Target): Budget {
  const none = Number.MAX_SAFE_INTEGER;
  return { ...(isOwnProject ? target.budget : { executable: none, archive: none }), ...program.budget };
}

/** In words. */
export function needsOf(target: Target): string {
  return target.oldest.glibc === null ? 'none: fully static' : `glibc ${target.oldest.glibc} or newer`;
}

/** An image with the oldest supported libc, in which the release workflow runs the archive. */
export function containerImage(target: Target): string {
  return target.libc === 'glibc' ? 'debian:bullseye-slim' : 'alpine:3.22';
}

/** The same by digest: what a workflow runs is what was looked at. */
const imageDigests: Readonly<Record<string, string>> = {
  'debian:bullseye-slim': 'sha256:610b4c7ad241e66f6e2f9791e3abdf0cc107a69238ab21bf9b4695d51fd6366a',
  'alpine:3.22': 'sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1',
};

export interface MatrixRow {
  readonly target: string;
  /** GitHub's machine; 32-bit ARM is emulated, because its ARM machines run no 32-bit programs. */
  readonly runner: 'ubuntu-24.04' | 'ubuntu-24.04-arm';
  readonly archive: string;
  readonly folder: string;
  readonly program: string;
  readonly answer: string;
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
      runner: target.architecture.elf.machine === 'aarch64' ? 'ubuntu-24.04-arm' : 'ubuntu-24.04',
      archive: tarball(target).file,
      folder: archiveFolder(target),
      program: program.name,
      answer: program.smoke[0]?.ask[0]?.content ?? '',
      platform: target.architecture.platform,
      image: `${containerImage(target)}@${imageDigests[containerImage(target)]}`,
      static: isStatic(target),
      emulated: target.architecture.elf.machine === 'arm',
    }));
}

/** The table of the README, in Markdown. */
export function markdownTable(targets: readonly Target[]): string {
  const rows = targets.map((target) => [
    `\`${target.triple}\``,
    needsOf(target),
    target.architecture.platform,
    target.runtime === null ? 'no runtime yet' : tested(target),
  ]);
  const head = ['Target', 'Needs', 'Container platform', 'Tested'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Which of the two it was is in each release's manifest. */
function tested(target: Target): string {
  if (isForeign(target)) return 'under QEMU';
  return target.architecture.elf.machine === 'i386'
    ? 'natively, or under QEMU where the kernel has no 32-bit emulation'
    : 'natively';
}

/** Every tool of the operating system that the steps call for this target. */
export function toolsFor(target: Target, machine: { isRoot: boolean; needsQemu: boolean }): readonly Tool[] {
  return [
    tools.tar,
    tools.setpriv,
    tools.xz,
    ...(machine.isRoot && !isStatic(target) ? [tools.dpkg] : []),
    ...(machine.needsQemu ? [emulatorTool(target)] : []),
    // chroot, and with it a root folder that holds the right libc, requires root.
    ...(machine.isRoot ? [] : hostLibc(target).tools),
    tools.curl,
  ];
}

/** The packages of all of them, sorted. */
export function packagesFor(targets: readonly Target[]): string[] {
  const all = targets.flatMap((target) => toolsFor(target, { isRoot: true, needsQemu: isForeign(target) }));
  return [...new Set(all.flatMap((tool) => tool.packages))].sort();
}

export function emulatorTool({ architecture }: Target): Tool {
  return { look: architecture.emulator, packages: ['qemu-user-static'], to: 'run targets of other architectures' };
}

/** What a glibc program needs from the machine when it is not run in a root folder of its own. */
export function hostLibc({ triple, architecture, interpreter }: Target): {
  readonly folder?: string;
  readonly tools: readonly Tool[];
} {
  if (interpreter === null || architecture.elf.machine === 'x86_64') return { tools: [] };
  const to = `run ${triple}`;
  if (architecture.elf.machine === 'i386') return { tools: [{ look: interpreter, packages: ['libc6-i386'], to }] };
  const folder = `/usr/${architecture.multiarch}`;
  return { folder, tools: [{ look: folder + interpreter, packages: [`libc6-${architecture.debian}-cross`], to }] };
}

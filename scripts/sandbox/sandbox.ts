/**
 * How a target's executable is run when it is tried, a runtime as much as a product: in a root folder that contains nothing
 * else (glibc: the oldest supported glibc, nothing else), and through QEMU where this machine cannot run it.
 */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { say } from '../support/progress.ts';
import { need } from '../support/system-tools.ts';
import { hostLibc, isStatic } from '../targets/target-facts.ts';
import type { Target } from '../targets/targets.ts';
import { emulatorFor, wayToRun } from './emulation.ts';
import { oldestLibc, putOldestLibc } from './oldest-libc.ts';
import { pinnedQemu, qemuVersion } from './qemu.ts';

export interface Sandbox {
  readonly folder: string;
  /** `folder` as a program inside sees it. */
  readonly inside: string;
  /** How programs are run, in words. */
  readonly how: string;
  /** The command line that runs `program`, a file in the folder. */
  command(program: string, args: readonly string[]): readonly [string, ...string[]];
}

/** Everything outside the folder that decides how a target is run; part of the key of what is tried in it. */
export function sandboxInputs(target: Target): string {
  const way = wayToRun(target);
  const qemu = way === 'pinned' ? pinnedQemu().sha256 : '';
  return JSON.stringify([process.getuid?.(), way, qemu, isStatic(target) ? '' : oldestLibc(target).sha256]);
}

export interface SandboxOptions {
  /** They ask for more than the oldest glibc, such as libstdc++: a program that has any runs with the libraries of this machine. */
  readonly hasAddons?: boolean;
  /** With /etc/hosts, as every container engine makes it: without, `localhost`, where many programs listen, has no address. */
  readonly hasHosts?: boolean;
}

/** Turns `folder`, which must exist, into one. */
export async function makeSandbox(target: Target, folder: string, options: SandboxOptions = {}): Promise<Sandbox> {
  const { hasAddons = false, hasHosts = false } = options;
  const emulator = await emulatorFor(target);
  const runner = emulator === undefined ? 'natively' : `${path.basename(emulator)} ${qemuVersion(emulator)}`;
  if (process.getuid?.() === 0 && !hasAddons) {
    if (!isStatic(target)) await putOldestLibc(target, folder);
    if (emulator !== undefined) await copyFile(emulator, path.join(folder, 'emulator'));
    if (hasHosts) await putHosts(folder);
    const beside = [...(isStatic(target) ? [] : [`glibc ${target.oldest.glibc}`]), ...(hasHosts ? ['/etc/hosts'] : [])];
    const words = beside.length === 0 ? 'nothing' : `only ${beside.join(' and ')}`;
    const prefix = [folder, ...(emulator === undefined ? [] : ['/emulator'])];
    return {
      folder,
      inside: '/',
      how: `${runner}, ${words} beside it`,
      command: (program, args) => ['chroot', ...prefix, `/${program}`, ...args],
    };
  }
  if (!hasAddons) say(`${target.triple}: chroot requires root, so it is run in an ordinary folder`);
  const { folder: libraries, tools } = hostLibc(target);
  for (const tool of tools) await need(tool);
  const prefix = libraries === undefined ? [] : ['-L', libraries];
  return {
    folder,
    inside: folder,
    how: hasAddons ? `${runner}, with the libraries of this machine` : runner,
    command: (program, args) => {
      const file = path.join(folder, program);
      return emulator === undefined ? [file, ...args] : [emulator, ...prefix, file, ...args];
    },
  };
}

async function putHosts(folder: string): Promise<void> {
  await mkdir(path.join(folder, 'etc'), { recursive: true });
  await writeFile(path.join(folder, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n');
}

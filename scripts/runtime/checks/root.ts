/**
 * A root folder that holds a runtime and nothing else: empty for a static one, Debian 11's libc6 for a glibc one.
 * What runs there needs nothing from the machine that built it. Foreign architectures run under QEMU.
 */
import { chmod, copyFile, cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { $, type ProcessOutput } from 'zx';
import { WORK } from '../paths.ts';
import type { Platform } from '../platforms.ts';
import { fetchSource, findSource } from '../sources.ts';

export interface Root {
  readonly folder: string;
  /** Runs an executable that lies in the root; never throws for its exit code. */
  run(executable: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<ProcessOutput>;
  /** The same as a command line, for a program that goes on. */
  command(executable: string, args: readonly string[]): string[];
}

export async function makeRoot(platform: Platform, executable: string): Promise<Root> {
  const folder = join(WORK, 'roots', platform.triple);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  if (platform.libc === 'glibc') {
    await $`dpkg-deb -x ${await fetchSource(findSource(`libc6-${platform.debian}`))} ${folder}`;
  }
  await copyFile(executable, join(folder, 'node'));
  await chmod(join(folder, 'node'), 0o755);
  if (platform.emulator !== null) await $`cp -L ${await whichOf(platform.emulator)} ${folder}/qemu`;
  await cp(join(import.meta.dirname, 'behaviour.cjs'), join(folder, 'behaviour.cjs'));
  const command = (name: string, args: readonly string[]): string[] => [
    'chroot',
    folder,
    ...(platform.emulator === null ? [] : ['/qemu']),
    name,
    ...args,
  ];
  return {
    folder,
    command,
    run: (name, args, env = {}) =>
      $({
        env: { PATH: process.env['PATH'], ...env },
        nothrow: true,
        quiet: true,
        timeout: '600s',
      })`${command(name, args)}`,
  };
}

async function whichOf(name: string): Promise<string> {
  return (await $`command -v ${name}`).stdout.trim();
}

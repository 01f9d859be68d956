/**
 * Where and how a target's archive is run: unpacked into an empty directory, which becomes the root folder (a static
 * product has nothing beside it, a glibc one the oldest glibc that we promise), and through QEMU if it is foreign.
 * Owns the directories `build/smoke/<triple>/`.
 */
import { chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { $ } from 'zx';
import { archiveEntries } from '../archive.ts';
import type { closedVariables } from '../close-environment.ts';
import { builtPath, emulatorTool, rootFolder, sysroot } from '../derived.ts';
import { need } from '../need.ts';
import { Failure } from '../problem.ts';
import { name } from '../project.ts';
import { say } from '../say.ts';
import type { Target } from '../targets.ts';
import { putOldestLibc } from './oldest-libc.ts';

export interface Place {
  readonly command: string;
  /** Before the program's own arguments. */
  readonly prefix: readonly string[];
  readonly cwd: string;
  /** Every closed variable, set to something harmful: an ordinary Node would run code, write files or stop. */
  readonly traps: Readonly<Record<string, string>>;
  /** How it runs, for people. */
  readonly how: string;
  /** What a stranger's variables made the program leave behind; must stay empty. */
  readonly traces: () => Promise<string[]>;
}

/** Unpacks as the README says and finds the way to start the program. */
export async function prepare(target: Target, archive: string): Promise<Place> {
  const folder = path.dirname(builtPath('smoke', target, name));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await $({ cwd: folder, quiet: true })`tar -xzf ${archive} && chmod +x ${name}`;
  const unpacked = (await readdir(folder)).sort();
  const wanted = [...archiveEntries].sort();
  if (unpacked.join() !== wanted.join()) {
    throw new Failure(`the archive must hold ${wanted.join(', ')} at its top, holds ${unpacked.join(', ')}`);
  }
  const emulator = target.emulator === null ? undefined : await need(emulatorTool(target.emulator));
  const root = rootFolder(target);
  if (root !== null && process.getuid?.() === 0) {
    if (root === 'oldest libc') await putOldestLibc(target, folder);
    return inChroot(folder, emulator, root === 'empty' ? 'nothing' : `only glibc ${target.oldest.glibc}`);
  }
  if (root !== null) say(`smoke ${target.triple}: not root, so no chroot: it runs in an empty directory instead`);
  const { folder: libraries, tools } = sysroot(target);
  for (const tool of tools) await need(tool);
  return inDirectory(folder, emulator, libraries);
}

async function inChroot(folder: string, emulator: string | undefined, beside: string): Promise<Place> {
  if (emulator !== undefined) await copyFile(emulator, path.join(folder, 'emulator'));
  return {
    command: 'chroot',
    prefix: [folder, ...(emulator === undefined ? [] : ['/emulator']), `/${name}`],
    cwd: folder,
    how: `${emulator === undefined ? 'natively' : path.basename(emulator)}, ${beside} beside it`,
    ...(await setTraps(folder, '/')),
  };
}

async function inDirectory(folder: string, emulator: string | undefined, root: string | undefined): Promise<Place> {
  const program = path.join(folder, name);
  return {
    command: emulator ?? program,
    prefix: emulator === undefined ? [] : [...(root === undefined ? [] : ['-L', root]), program],
    cwd: folder,
    how: emulator === undefined ? 'natively' : path.basename(emulator),
    ...(await setTraps(folder, folder)),
  };
}

/** `seen` is `folder` as the program sees it. */
export async function setTraps(folder: string, seen: string): Promise<Pick<Place, 'traps' | 'traces'>> {
  const traps = path.join(folder, 'traps');
  const inside = (file: string): string => path.posix.join(seen, 'traps', file);
  await mkdir(traps);
  await chmod(traps, 0o777);
  await writeFile(
    path.join(traps, 'code.cjs'),
    `require('fs').writeFileSync(${JSON.stringify(inside('code-ran'))}, '');`,
  );
  await writeFile(path.join(traps, 'openssl.cnf'), 'nodejs_conf = missing_section\nopenssl_conf = missing_section\n');
  const set = (await readdir(traps)).sort();
  const values: Record<keyof typeof closedVariables, string> = {
    NODE_OPTIONS: `--require=${inside('code.cjs')}`,
    NODE_COMPILE_CACHE: inside('compile-cache'),
    NODE_V8_COVERAGE: inside('coverage'),
    NODE_REDIRECT_WARNINGS: inside('warnings.txt'),
    NODE_ICU_DATA: inside('icu'),
    NODE_REPL_EXTERNAL_MODULE: inside('code.cjs'),
    OPENSSL_CONF: inside('openssl.cnf'),
    OPENSSL_CONF_INCLUDE: inside('.'),
    OPENSSL_ENGINES: inside('engines'),
    OPENSSL_MODULES: inside('modules'),
  };
  return {
    traps: values,
    traces: async () => (await readdir(traps)).filter((file) => !set.includes(file)),
  };
}

/** Obtains what a peer consists of: our executable, compiled C, npm and apt packages. Owns `build/bench`. */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { executable, root, TRIPLE, work } from './places.ts';

const run = promisify(execFile);
const debian = path.join(work, 'debian');

/** Where daemons are installed; not on every user's PATH. */
const SYSTEM = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];

export function find(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), ...SYSTEM];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

/**
 * Packages our executable as it is now, and copies it as unpacking an archive would: in small writes. The kernel maps whole
 * folios of the page cache, and a file written all at once, as the toolchain does, has large ones: 14 MB more RSS.
 */
export async function packageOurs(): Promise<string> {
  await run(process.execPath, [path.join(root, 'scripts/steps/package.ts'), '--target', TRIPLE], { cwd: root });
  await rm(executable, { force: true });
  await run('dd', [`if=${path.join(root, 'build/package', TRIPLE, 'vrypt-server')}`, `of=${executable}`, 'bs=10k']);
  await chmod(executable, 0o755);
  return executable;
}

/** Compiles `native/<name>.c`; rejects if there is no compiler. */
export async function compile(name: string): Promise<string> {
  const file = path.join(work, name);
  mkdirSync(work, { recursive: true });
  await run('cc', ['-O2', '-Wall', '-Wextra', '-o', file, path.join(import.meta.dirname, 'native', `${name}.c`)]);
  return file;
}

/** Installs a package below build/bench, without running its scripts; returns its node_modules. */
export async function fromNpm(name: string, version: string): Promise<string> {
  const prefix = path.join(work, 'npm', `${name}-${version}`);
  const modules = path.join(prefix, 'node_modules');
  if (!existsSync(path.join(modules, name))) {
    mkdirSync(prefix, { recursive: true });
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefix', prefix];
    await run('npm', ['install', ...options, `${name}@${version}`], { cwd: prefix });
  }
  return modules;
}

/**
 * A program that Debian packages: the installed one, else unpacked below build/bench, which needs no root and starts no
 * service. Returns the command that runs it.
 */
export async function fromDebian(program: string, packages: readonly string[]): Promise<string[]> {
  const installed = find(program);
  if (installed !== undefined) return [installed];
  const folder = path.join(debian, program);
  const unpacked = (): string | undefined =>
    ['usr/sbin', 'usr/bin'].map((bin) => path.join(folder, bin, program)).find(isExecutable);
  if (unpacked() === undefined) {
    mkdirSync(folder, { recursive: true });
    await run('apt-get', ['download', ...packages], { cwd: folder });
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', file, '.'], { cwd: folder });
    }
  }
  const file = unpacked();
  if (file === undefined) throw new Error(`the package ${packages[0]} has no ${program}`);
  const libraries = path.join(folder, 'usr/lib', `${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`);
  return ['env', `LD_LIBRARY_PATH=${libraries}`, file];
}

/** What a command prints on both streams: some tools print their version on standard error. */
export async function output(command: readonly string[]): Promise<string> {
  const [file = '', ...args] = command;
  const { stdout, stderr } = await run(file, args);
  return `${stdout}${stderr}`;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

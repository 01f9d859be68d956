/**
 * From the linked executable to the folder that is committed: strip, compress, check, describe. An executable that is the
 * same as before leaves its folder untouched, so that only changed runtimes are committed again.
 */
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { $ } from 'zx';
import { emulatorFor } from '../sandbox/emulation.ts';
import { findSource, sourcesFor } from '../sources/sources.ts';
import { root } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { sha256FileSync } from '../support/hash.ts';
import { say } from '../support/progress.ts';
import type { Target } from '../targets/targets.ts';
import { checkRuntime } from './checks/checks.ts';
import { compilerFlags, optimise } from './compiler.ts';
import { allFlags } from './configure.ts';
import type { Job } from './job.ts';
import { licensesText } from './licenses.ts';
import { placesOf, runtimes, work } from './paths.ts';

/** The contents of BUILD.json. */
export interface BuildRecord {
  readonly name: string;
  readonly node: string;
  readonly sha256: string;
  readonly size: number;
  readonly compressedSize: number;
  readonly date: string;
  readonly flags: { readonly compiler: string[]; readonly optimise: string[]; readonly configure: string[] };
  readonly tools: Record<string, string>;
  readonly checks: string[];
  readonly sources: {
    readonly name: string;
    readonly version: string;
    readonly license: string;
    readonly sha256: string;
  }[];
}

export async function publishRuntime({ target, places, run }: Job): Promise<void> {
  await mkdir(dirname(places.executable), { recursive: true });
  // Before a blob is injected, never after: stripping a SEA executable breaks it.
  await run`llvm-strip-19 -s -o ${places.executable} ${places.out}/node`;
  const compressed = `${places.executable}.xz`;
  await run`xz -T1 --keep --force ${target.architecture.node.xz} --lzma2=preset=9e ${places.executable}`;
  const checks = await checkRuntime(target, places.executable, compressed);
  await writeFile(join(runtimes, 'LICENSES.txt'), await licensesText());
  const record = await recordOf(target, places.executable, compressed, checks);
  const folder = join(runtimes, target.triple);
  const facts = `${record.size} bytes, ${record.compressedSize} compressed, SHA-256 ${record.sha256}`;
  if (await isPublished(folder, record.sha256)) {
    say(`${target.triple}: ${facts}, as before: runtimes/${target.triple}/ stays as it is`);
    return;
  }
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'BUILD.json'), `${JSON.stringify(record, null, 2)}\n`);
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(packageOf(target), null, 2)}\n`);
  await copyFile(compressed, join(folder, 'node.xz'));
  say(`${target.triple}: ${facts}`);
}

/** Compares a runtime in runtimes/ with its record and runs every check again. */
export async function verifyRuntime(target: Target): Promise<void> {
  const executable = await unpackRuntime(target);
  const checks = await checkRuntime(target, executable, join(runtimes, target.triple, 'node.xz'));
  say(`${target.triple}: ${checks.length} checks passed`);
}

/** True when the folder already contains exactly this executable. */
export async function isPublished(folder: string, sha256: string): Promise<boolean> {
  const record = await readRecord(folder);
  return record?.sha256 === sha256 && existsSync(join(folder, 'node.xz'));
}

/** The executable in runtimes/, unpacked and compared with its record. */
export async function unpackRuntime(target: Target): Promise<string> {
  const folder = join(runtimes, target.triple);
  const record = await readRecord(folder);
  if (record === undefined) throw new Failure(`runtimes/${target.triple} must have a BUILD.json, has none`);
  const executable = join(work, 'verify', target.triple, 'node');
  await mkdir(dirname(executable), { recursive: true });
  await $`xz -dc ${folder}/node.xz > ${executable}`;
  const sha256 = sha256FileSync(executable);
  if (sha256 !== record.sha256) {
    throw new Failure(
      `runtimes/${target.triple}/node.xz must contain the SHA-256 ${record.sha256} of its BUILD.json, got ${sha256}`,
    );
  }
  await chmod(executable, 0o755);
  return executable;
}

async function readRecord(folder: string): Promise<BuildRecord | undefined> {
  const file = join(folder, 'BUILD.json');
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as BuildRecord) : undefined;
}

async function recordOf(
  target: Target,
  executable: string,
  compressed: string,
  checks: string[],
): Promise<BuildRecord> {
  const version = async (command: string): Promise<string> =>
    (await $`${command} --version`.quiet()).stdout.split('\n').find((line) => line.trim() !== '') ?? '';
  const tools: Record<string, string> = {};
  for (const name of ['clang-19', 'ld.lld-19', 'cmake', 'ninja', '/usr/bin/python3', 'perl', 'xz']) {
    tools[basename(name)] = await version(name);
  }
  const emulator = await emulatorFor(target);
  if (emulator !== undefined) tools[basename(emulator)] = await version(emulator);
  const relative = (flag: string): string => flag.replaceAll(placesOf(target).root, '.').replaceAll(root, '.');
  return {
    name: target.triple,
    node: findSource('node').version,
    sha256: sha256FileSync(executable),
    size: (await stat(executable)).size,
    compressedSize: (await stat(compressed)).size,
    date: new Date().toISOString().slice(0, 10),
    flags: {
      compiler: compilerFlags(target).map(relative),
      optimise,
      configure: allFlags(target).map(relative),
    },
    tools,
    checks,
    sources: sourcesFor(target).map(({ name, version, license, sha256 }) => ({ name, version, license, sha256 })),
  };
}

function packageOf(target: Target): object {
  const shipped = sourcesFor(target).filter((source) => source.use === 'shipped');
  const licenses = [...new Set(shipped.map((source) => source.license))].sort();
  const needs = target.oldest.glibc === null ? 'fully static' : `glibc ${target.oldest.glibc} or newer`;
  return {
    name: `@vrypt-server/node-${target.triple}`,
    version: findSource('node').version,
    description: `Node.js trimmed for servers, ${needs}, ${target.triple}`,
    license: licenses.map((license) => (license.includes(' OR ') ? `(${license})` : license)).join(' AND '),
    os: ['linux'],
    cpu: [target.architecture.node.cpu],
    libc: [target.libc],
    files: ['node.xz', 'BUILD.json'],
  };
}

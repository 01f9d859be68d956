/**
 * From the linked executable to the folder that is committed: strip, compress, check, describe.
 */
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { $ } from 'zx';
import { checkRuntime } from './checks/checks.ts';
import { compilerFlags, OPTIMISE } from './compiler.ts';
import { allFlags } from './configure.ts';
import type { Job } from './job.ts';
import { licencesText } from './licences.ts';
import { PROJECT, placesOf, RUNTIMES, WORK } from './paths.ts';
import type { Cpu, Platform } from './platforms.ts';
import { findSource, hashOf, sourcesFor } from './sources.ts';

/** What BUILD.json says. */
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
    readonly licence: string;
    readonly sha256: string;
  }[];
}

/** xz turns the relative addresses of x86 calls into absolute ones first: i686 with glibc 12.1 → 11.4 MB. */
const XZ_FILTERS: Record<Cpu, string[]> = { x64: ['--x86'], ia32: ['--x86'], arm: [], arm64: [] };

export async function finishRuntime({ platform, places, run }: Job): Promise<void> {
  await mkdir(dirname(places.executable), { recursive: true });
  // Before a blob is injected, never after: a stripped SEA executable crashes.
  await run`llvm-strip-19 -s -o ${places.executable} ${places.out}/node`;
  const compressed = `${places.executable}.xz`;
  await run`xz -T1 --keep --force ${XZ_FILTERS[platform.cpu]} --lzma2=preset=9e ${places.executable}`;
  const checks = await checkRuntime(platform, places.executable, compressed);
  const folder = join(RUNTIMES, platform.triple);
  await mkdir(folder, { recursive: true });
  const record = await recordOf(platform, places.executable, compressed, checks);
  await writeFile(join(folder, 'BUILD.json'), `${JSON.stringify(record, null, 2)}\n`);
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(packageOf(platform), null, 2)}\n`);
  await writeFile(join(RUNTIMES, 'LICENSES.txt'), await licencesText());
  await copyFile(compressed, join(folder, 'node.xz'));
  console.log(`${platform.triple}: ${record.size} bytes, ${record.compressedSize} compressed, sha256 ${record.sha256}`);
}

/** Compares what lies in runtimes/ with its record and runs every check again. */
export async function verifyRuntime(platform: Platform): Promise<void> {
  const executable = await unpackRuntime(platform);
  const checks = await checkRuntime(platform, executable, join(RUNTIMES, platform.triple, 'node.xz'));
  console.log(`${platform.triple}: ${checks.length} checks passed`);
}

/** The executable that lies in runtimes/, unpacked and compared with its record. */
export async function unpackRuntime(platform: Platform): Promise<string> {
  const folder = join(RUNTIMES, platform.triple);
  if (!existsSync(join(folder, 'BUILD.json'))) throw new Error(`${platform.triple}: runtimes/ has none that we built`);
  const record: BuildRecord = JSON.parse(await readFile(join(folder, 'BUILD.json'), 'utf8'));
  const executable = join(WORK, 'verify', platform.triple, 'node');
  await mkdir(dirname(executable), { recursive: true });
  await $`xz -dc ${folder}/node.xz > ${executable}`;
  const sha256 = hashOf(executable);
  if (sha256 !== record.sha256)
    throw new Error(`${platform.triple}: BUILD.json says ${record.sha256}, node.xz holds ${sha256}`);
  await chmod(executable, 0o755);
  return executable;
}

async function recordOf(
  platform: Platform,
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
  if (platform.emulator !== null) tools[platform.emulator] = await version(platform.emulator);
  const relative = (flag: string): string => flag.replaceAll(placesOf(platform).root, '.').replaceAll(PROJECT, '.');
  return {
    name: platform.triple,
    node: findSource('node').version,
    sha256: hashOf(executable),
    size: (await stat(executable)).size,
    compressedSize: (await stat(compressed)).size,
    date: new Date().toISOString().slice(0, 10),
    flags: {
      compiler: compilerFlags(platform).map(relative),
      optimise: OPTIMISE,
      configure: allFlags(platform).map(relative),
    },
    tools,
    checks,
    sources: sourcesFor(platform).map(({ name, version, licence, sha256 }) => ({ name, version, licence, sha256 })),
  };
}

function packageOf(platform: Platform): object {
  const shipped = sourcesFor(platform).filter((source) => source.use === 'shipped');
  const licences = [...new Set(shipped.map((source) => source.licence))].sort();
  return {
    name: `@vrypt-server/node-${platform.triple}`,
    version: findSource('node').version,
    description: `Node.js trimmed for servers, ${platform.libc === 'musl' ? 'fully static' : 'glibc 2.31 or newer'}, ${platform.triple}`,
    license: licences.map((licence) => (licence.includes(' OR ') ? `(${licence})` : licence)).join(' AND '),
    os: ['linux'],
    cpu: [platform.cpu],
    libc: [platform.libc],
    files: ['node.xz', 'BUILD.json'],
  };
}

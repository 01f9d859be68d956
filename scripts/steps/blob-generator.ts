/**
 * The Node that makes a target's SEA blob. The blob stores lengths as `size_t`, so a 32-bit target's must come from a
 * 32-bit Node of the same version. Every such Node makes the same bytes, so the static runtime that this machine runs best
 * does it. Owns `build/blob-generator/`.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { emulatorFor, type Way, wayToRun } from '../sandbox/emulation.ts';
import { build } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { once } from '../support/once.ts';
import type { Tool } from '../support/system-tools.ts';
import { emulatorTool, isStatic } from '../targets/target-facts.ts';
import { isReady, type ReadyTarget, readTargets } from '../targets/targets.ts';
import { nodeBinary } from './node-binary.ts';

export interface BlobGenerator {
  /** Takes Node's arguments. */
  readonly file: string;
  /** Of the Node behind it: its SHA-256, or its version if it also runs this script. */
  readonly identity: string;
}

export function blobGenerator(target: ReadyTarget): Promise<BlobGenerator> {
  if (target.architecture.elf.class === 32) return once('32-bit blob generator', generatorFor32Bits);
  return Promise.resolve({ file: process.execPath, identity: process.versions.node });
}

/** What has to be installed for it. */
export function generatorTools(targets: readonly ReadyTarget[]): readonly Tool[] {
  if (targets.every((target) => target.architecture.elf.class === 64)) return [];
  const target = generatorTarget();
  return wayToRun(target) === 'installed' ? [emulatorTool(target)] : [];
}

/** The static 32-bit runtimes: they need no libraries on this machine. */
export function generatorCandidates(): readonly ReadyTarget[] {
  const ready = readTargets().targets.filter(isReady);
  return ready.filter((target) => target.architecture.elf.class === 32 && isStatic(target));
}

/** The one with the cheapest way to run it; of equals, the first. */
export function chooseGenerator<T>(candidates: readonly { target: T; way: Way }[]): T | undefined {
  const ways: readonly Way[] = ['native', 'installed', 'pinned'];
  return ways.flatMap((way) => candidates.filter((candidate) => candidate.way === way))[0]?.target;
}

/** The command line of a 32-bit runtime. */
export async function commandOf(target: ReadyTarget): Promise<{ command: readonly string[]; sha256: string }> {
  const [{ file, sha256 }, emulator] = await Promise.all([nodeBinary(target), emulatorFor(target)]);
  return { command: emulator === undefined ? [file] : [emulator, file], sha256 };
}

export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function generatorTarget(): ReadyTarget {
  const target = chooseGenerator(generatorCandidates().map((each) => ({ target: each, way: wayToRun(each) })));
  if (target === undefined) {
    throw new Failure('targets.json must have a static 32-bit runtime: it makes the blobs of 32-bit targets');
  }
  return target;
}

/** pkg runs the generator as one file, so an emulated one is a script. */
async function generatorFor32Bits(): Promise<BlobGenerator> {
  const { command, sha256: identity } = await commandOf(generatorTarget());
  const [node = '', ...rest] = command;
  if (rest.length === 0) return { file: node, identity };
  const file = path.join(build, 'blob-generator/node');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\nexec ${command.map(quoted).join(' ')} "$@"\n`);
  await chmod(file, 0o755);
  return { file, identity };
}

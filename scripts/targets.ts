/**
 * The targets: reads and checks `targets.json`, whose only reader this is, and picks rows by name.
 * What follows from a row (file names, commands, matrix) is in `derived.ts`.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from './problem.ts';
import { root } from './project.ts';

export type Machine = 'x86_64' | 'i386' | 'aarch64' | 'arm';

/** Octets; going over is a failure, so that growth is a decision. */
export interface Budget {
  readonly executable: number;
  readonly archive: number;
}

/** The official Node executable, as an npm package carries it (`bin/node` inside). */
export interface NpmRuntime {
  readonly kind: 'npm';
  readonly package: string;
  /** Of `bin/node` as published, before stripping. */
  readonly sha256: string;
  /** Shared libraries that it needs on top of libc. */
  readonly libraries: readonly string[];
  /** Replaces the row's: it is twice the size of ours. */
  readonly budget: Budget;
}

/** A Node executable that the project built: `<path>/node.xz` beside its BUILD.json. */
export interface FolderRuntime {
  readonly kind: 'folder';
  readonly path: string;
  /** Of the unpacked executable. */
  readonly sha256: string;
}

export type Runtime = NpmRuntime | FolderRuntime;

export interface Target {
  readonly triple: string;
  readonly elf: { readonly machine: Machine; readonly class: 32 | 64; readonly data: 'little' };
  readonly libc: 'glibc' | 'musl';
  /** The program interpreter that the file must name; null = static, names none. */
  readonly interpreter: string | null;
  /** The oldest systems that we promise to run on. */
  readonly oldest: { readonly kernel: string; readonly glibc: string | null };
  /** null = nobody has built one yet. */
  readonly runtime: Runtime | null;
  /** The qemu-user command that runs it on x86_64; null = runs natively there. */
  readonly emulator: string | null;
  /** As container engines call it. */
  readonly platform: string;
  readonly budget: Budget;
}

export interface ReadyTarget extends Target {
  readonly runtime: Runtime;
}

export interface Targets {
  /** The one Node version of all runtimes and of the blob generators. */
  readonly node: string;
  readonly targets: readonly Target[];
}

export function readTargets(file: string = path.join(root, 'targets.json')): Targets {
  const text = readFileSync(file, 'utf8');
  try {
    return checkTargets(JSON.parse(text));
  } catch (error) {
    throw error instanceof SyntaxError ? new UsageError(`targets.json wants JSON: ${error.message}`) : error;
  }
}

/** Without names: every target that has a runtime. With names: exactly these, and each must have one. */
export function selectTargets(table: Targets, names: readonly string[]): ReadyTarget[] {
  if (names.length === 0) return table.targets.filter(isReady);
  return [...new Set(names)].map((triple) => {
    const target = table.targets.find((row) => row.triple === triple);
    if (target === undefined) {
      const known = table.targets.map((row) => row.triple).join(', ');
      throw new UsageError(`--target wants one of ${known}; got "${triple}"`);
    }
    if (!isReady(target)) throw new UsageError(`--target ${triple}: no runtime yet (targets.json says null)`);
    return target;
  });
}

export function isReady(target: Target): target is ReadyTarget {
  return target.runtime !== null;
}

export function checkTargets(value: unknown): Targets {
  const table = object(value, 'targets.json');
  const node = text(table['node'], 'node', /^\d+\.\d+\.\d+$/);
  const rows = table['targets'];
  if (!Array.isArray(rows)) throw wrong('targets', 'a list', rows);
  const targets = rows.map((row, index) => checkRow(row, `targets[${index}]`));
  const names = targets.map((row) => row.triple);
  const twice = names.find((triple, index) => names.indexOf(triple) !== index);
  if (twice !== undefined) throw wrong('targets', 'each triple once', twice);
  return { node, targets };
}

function checkRow(value: unknown, where: string): Target {
  const row = object(value, where);
  const triple = text(row['triple'], `${where}.triple`, /^[a-z0-9_]+-unknown-linux-(gnu|musl)(eabihf)?$/);
  const elf = object(row['elf'], `${triple}.elf`);
  const libc = oneOf(row['libc'], `${triple}.libc`, ['glibc', 'musl'] as const);
  const oldest = object(row['oldest'], `${triple}.oldest`);
  const isGlibc = libc === 'glibc';
  if (isGlibc !== triple.includes('-gnu')) throw wrong(`${triple}.libc`, 'the libc that the triple names', libc);
  const nullUnlessGlibc = (v: unknown, at: string, pattern: RegExp): string | null => {
    if (isGlibc) return text(v, at, pattern);
    if (v !== null) throw wrong(at, 'null on a static target', v);
    return null;
  };
  return {
    triple,
    elf: {
      machine: oneOf(elf['machine'], `${triple}.elf.machine`, ['x86_64', 'i386', 'aarch64', 'arm'] as const),
      class: oneOf(elf['class'], `${triple}.elf.class`, [32, 64] as const),
      data: oneOf(elf['data'], `${triple}.elf.data`, ['little'] as const),
    },
    libc,
    interpreter: nullUnlessGlibc(row['interpreter'], `${triple}.interpreter`, /^\/lib(64)?\/ld-linux[\w.-]*$/),
    oldest: {
      kernel: text(oldest['kernel'], `${triple}.oldest.kernel`, /^\d+\.\d+$/),
      glibc: nullUnlessGlibc(oldest['glibc'], `${triple}.oldest.glibc`, /^\d+\.\d+$/),
    },
    runtime: row['runtime'] === null ? null : checkRuntime(row['runtime'], `${triple}.runtime`),
    emulator: row['emulator'] === null ? null : text(row['emulator'], `${triple}.emulator`, /^qemu-[a-z0-9_]+-static$/),
    platform: text(row['platform'], `${triple}.platform`, /^linux\/(amd64|386|arm64|arm\/v7)$/),
    budget: checkBudget(row['budget'], `${triple}.budget`),
  };
}

function checkRuntime(value: unknown, where: string): Runtime {
  const runtime = object(value, where);
  const kind = oneOf(runtime['kind'], `${where}.kind`, ['npm', 'folder'] as const);
  const sha256 = text(runtime['sha256'], `${where}.sha256`, /^[0-9a-f]{64}$/);
  if (kind === 'folder') {
    return { kind, path: text(runtime['path'], `${where}.path`, /^runtimes\/[a-z0-9_-]+$/), sha256 };
  }
  const libraries = runtime['libraries'];
  if (!Array.isArray(libraries)) throw wrong(`${where}.libraries`, 'a list', libraries);
  return {
    kind,
    package: text(runtime['package'], `${where}.package`, /^node-linux-[a-z0-9]+$/),
    sha256,
    libraries: libraries.map((library, index) => text(library, `${where}.libraries[${index}]`, /^[\w+.-]+$/)),
    budget: checkBudget(runtime['budget'], `${where}.budget`),
  };
}

function checkBudget(value: unknown, where: string): Budget {
  const budget = object(value, where);
  return {
    executable: size(budget['executable'], `${where}.executable`),
    archive: size(budget['archive'], `${where}.archive`),
  };
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(where, 'an object', value);
  return value as Record<string, unknown>;
}

function text(value: unknown, where: string, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw wrong(where, `text like ${pattern.source}`, value);
  return value;
}

function size(value: unknown, where: string): number {
  if (!Number.isSafeInteger(value) || (value as number) <= 0) throw wrong(where, 'a whole number of octets', value);
  return value as number;
}

function oneOf<const T extends string | number>(value: unknown, where: string, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) throw wrong(where, `one of ${allowed.join(', ')}`, value);
  return value as T;
}

function wrong(where: string, rule: string, value: unknown): UsageError {
  return new UsageError(`targets.json: ${where} wants ${rule}, got ${JSON.stringify(value) ?? 'nothing'}`);
}

/**
 * The targets: reads and checks `targets.json`, whose only reader this is, completes each row with what follows from its
 * triple, and finds rows by name.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { toolchain } from '../support/checkout.ts';
import { Failure, UsageError } from '../support/errors.ts';
import { type Architecture, allTriples, type Libc, parseTriple, tripleOf } from './architectures.ts';

/** In bytes; exceeding it is a failure, so that growth is a decision. */
export interface Budget {
  readonly executable: number;
  readonly archive: number;
}

/** The Node executable in `runtimes/<triple>/`. */
export interface Runtime {
  /** Of the unpacked executable. */
  readonly sha256: string;
}

export interface Target {
  readonly triple: string;
  readonly architecture: Architecture;
  readonly libc: Libc;
  /** The program interpreter that the file must name; null: it is static and names none. */
  readonly interpreter: string | null;
  /** The oldest glibc that it runs on, as it is tried. No kernel: one older than the builder's has never been booted. */
  readonly oldest: { readonly glibc: string | null };
  /** null: not built yet. */
  readonly runtime: Runtime | null;
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

export function readTargets(file: string = path.join(toolchain, 'targets.json')): Targets {
  const text = readFileSync(file, 'utf8');
  try {
    return checkTargets(JSON.parse(text));
  } catch (error) {
    throw error instanceof SyntaxError ? new UsageError(`targets.json must be JSON: ${error.message}`) : error;
  }
}

/** Without names: every target that has a runtime, at least one. With names: exactly these, and each must have one. */
export function selectTargets(table: Targets, names: readonly string[]): ReadyTarget[] {
  if (names.length === 0) {
    const ready = table.targets.filter(isReady);
    if (ready.length === 0)
      throw new Failure('targets.json must have a target with a runtime, has none: nothing to make');
    return ready;
  }
  return findTargets(table, names).map((target) => {
    if (!isReady(target)) throw new UsageError(`--target ${target.triple}: no runtime yet (targets.json says null)`);
    return target;
  });
}

/** Each name once, in the order given. */
export function findTargets(table: Targets, names: readonly string[]): Target[] {
  return [...new Set(names)].map((triple) => {
    const target = table.targets.find((row) => row.triple === triple);
    if (target !== undefined) return target;
    const known = table.targets.map((row) => row.triple).join(', ');
    throw new UsageError(`--target must be one of ${known}; got "${triple}"`);
  });
}

export function isReady(target: Target): target is ReadyTarget {
  return target.runtime !== null;
}

export function checkTargets(value: unknown): Targets {
  const table = object(value, 'the table', ['node', 'targets']);
  const node = text(table['node'], 'node', /^\d+\.\d+\.\d+$/, 'a version such as 24.21.0');
  const rows = table['targets'];
  if (!Array.isArray(rows)) throw wrong('targets', 'a list', rows);
  const targets = rows.map((row, index) => checkRow(row, `targets[${index}]`));
  const names = targets.map((row) => row.triple);
  const twice = names.find((triple, index) => names.indexOf(triple) !== index);
  if (twice !== undefined) throw wrong('targets', 'a list with each triple once', twice);
  return { node, targets };
}

function checkRow(value: unknown, where: string): Target {
  const name = (value as { triple?: unknown } | null)?.triple;
  const triple = typeof name === 'string' ? parseTriple(name) : undefined;
  if (typeof name !== 'string' || triple === undefined) {
    const known = allTriples().map(({ architecture, libc }) => tripleOf(architecture, libc));
    throw wrong(`${where}.triple`, `one of ${known.join(', ')}`, name);
  }
  const { architecture, libc } = triple;
  const isGlibc = libc === 'glibc';
  const row = object(value, name, ['triple', ...(isGlibc ? ['oldest'] : []), 'runtime', 'budget']);
  return {
    triple: name,
    architecture,
    libc,
    interpreter: isGlibc ? architecture.loader : null,
    oldest: { glibc: isGlibc ? checkOldest(row['oldest'], `${name}.oldest`) : null },
    runtime: row['runtime'] === null ? null : checkRuntime(row['runtime'], `${name}.runtime`),
    budget: checkBudget(row['budget'], `${name}.budget`),
  };
}

function checkOldest(value: unknown, where: string): string {
  const { glibc } = object(value, where, ['glibc']);
  return text(glibc, `${where}.glibc`, /^\d+\.\d+$/, 'two numbers and a dot');
}

function checkRuntime(value: unknown, where: string): Runtime {
  const { sha256 } = object(value, where, ['sha256']) as { sha256?: unknown };
  return { sha256: text(sha256, `${where}.sha256`, /^[0-9a-f]{64}$/, '64 hexadecimal digits') };
}

function checkBudget(value: unknown, where: string): Budget {
  const budget = object(value, where, ['executable', 'archive']);
  return {
    executable: size(budget['executable'], `${where}.executable`),
    archive: size(budget['archive'], `${where}.archive`),
  };
}

/** An unknown key is refused: it would either contradict what follows from the triple, or be a typing error. */
function object(value: unknown, where: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(where, 'an object', value);
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw wrong(where, `an object with the keys ${keys.join(', ')}`, unknown);
  return value as Record<string, unknown>;
}

function text(value: unknown, where: string, pattern: RegExp, rule: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw wrong(where, rule, value);
  return value;
}

function size(value: unknown, where: string): number {
  if (!Number.isSafeInteger(value) || (value as number) <= 0) throw wrong(where, 'a whole number of bytes', value);
  return value as number;
}

function wrong(where: string, rule: string, value: unknown): UsageError {
  return new UsageError(`targets.json: ${where} must be ${rule}, got ${JSON.stringify(value) ?? 'nothing'}`);
}

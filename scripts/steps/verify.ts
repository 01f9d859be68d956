/**
 * `verify`: reads the packaged file and compares it with its row in targets.json. Depends on no tool's output and runs
 * nothing. Owns nothing but its stamp.
 */
import { readFile } from 'node:fs/promises';
import { cStrings } from '../formats/c-strings.ts';
import { type Elf, highestGlibc, isNewer, readElf } from '../formats/elf.ts';
import { fuse, readSeaBlob } from '../formats/sea-blob.ts';
import { closedVariables } from '../program/closed-variables.ts';
import { program } from '../program/vrypt-server.ts';
import { root } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { once } from '../support/once.ts';
import { runStep } from '../support/step.ts';
import { eachTarget } from '../targets/select.ts';
import { allowedLibraries, isStatic } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { packaged } from './package.ts';

export interface Verified {
  readonly file: string;
  readonly sha256: string;
  readonly packages: readonly string[];
  readonly bytes: number;
  /** The highest GLIBC symbol version required; null for static files. */
  readonly glibc: string | null;
}

export function verify(target: ReadyTarget): Promise<Verified> {
  return once(`verify ${target.triple}`, () => make(target));
}

/** Every broken rule as a sentence; an empty list is the verdict "good". */
export function faultsOf(target: ReadyTarget, file: Buffer, bundle: Buffer): string[] {
  const elf = readElf(file);
  return [...headerFaults(target, elf), ...linkFaults(target, elf), ...contentFaults(target, file, elf, bundle)];
}

async function make(target: ReadyTarget): Promise<Verified> {
  const product = await packaged(target);
  const { facts } = await runStep({
    step: 'verify',
    target: target.triple,
    inputs: { product: product.sha256, target: JSON.stringify(target), bundle: product.bundle.sha256 },
    module: import.meta.filename,
    outputs: [],
    make: async () => {
      const file = await readFile(product.file);
      const faults = faultsOf(target, file, await readFile(product.bundle.file));
      if (faults.length > 0) throw new Failure(`the executable ${faults.join('\nthe executable ')}`);
      return { bytes: file.length, glibc: highestGlibc(readElf(file).versionsRequired) };
    },
    summary: ({ glibc }) => (isStatic(target) ? 'static, needs nothing' : `needs glibc ${glibc}`),
  });
  return { ...facts, file: product.file, sha256: product.sha256, packages: product.bundle.packages };
}

function headerFaults(target: ReadyTarget, elf: Elf): string[] {
  const faults: string[] = [];
  const mustEqual = (what: string, wanted: unknown, got: unknown): void => {
    if (wanted !== got) faults.push(`must have ${what} ${wanted}, got ${got}`);
  };
  mustEqual('ELF machine', target.architecture.elf.machine, elf.machine);
  mustEqual('ELF class', target.architecture.elf.class, elf.class);
  mustEqual('interpreter', target.interpreter, elf.interpreter);
  for (const part of elf.writableCode) faults.push(`must have no memory both writable and executable, got ${part}`);
  if (elf.hasSymbolTable) faults.push('must be stripped, got a symbol table');
  return faults;
}

function linkFaults(target: ReadyTarget, elf: Elf): string[] {
  const allowed = allowedLibraries(target);
  const faults = elf.needed
    .filter((library) => !allowed.includes(library))
    .map((library) => `must need only ${allowed.join(', ') || 'no library'}, got ${library}`);
  const glibc = highestGlibc(elf.versionsRequired);
  const { glibc: promised } = target.oldest;
  if (glibc !== null && (promised === null || isNewer(glibc, promised))) {
    faults.push(`must run on glibc ${promised ?? 'none'}, got symbols of ${glibc}`);
  }
  return faults;
}

function contentFaults(target: ReadyTarget, file: Buffer, elf: Elf, bundle: Buffer): string[] {
  const faults: string[] = [];
  const blob = readSeaBlob(elf);
  if (typeof blob === 'string') faults.push(`must contain the program, got ${blob}`);
  else {
    if (!blob.code.equals(bundle)) faults.push('must contain the bundle byte for byte, got something else');
    if (blob.codePath !== program.name) faults.push(`must name its code ${program.name}, got ${blob.codePath}`);
  }
  if (!file.includes(`${fuse}:1`)) faults.push(`must have the fuse ${fuse} set, it has not`);
  if (file.includes(`${root}/`)) faults.push(`must not name the folder of its build, got ${root}`);
  for (const name of Object.keys(closedVariables)) {
    if (cStrings(file, name).length > 0) faults.push(`must not look up ${name}, it does`);
  }
  const budget = target.budget.executable;
  if (file.length > budget) faults.push(`must have at most ${budget} bytes, got ${file.length}`);
  return faults;
}

if (import.meta.main) await eachTarget("Compares each target's executable with its row in targets.json.", verify);

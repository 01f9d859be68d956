/**
 * Step 5, `verify`: reads the packaged file itself and holds it against its row in targets.json. Trusts no tool's
 * word and runs nothing. Owns nothing but its stamp.
 */
import { readFile } from 'node:fs/promises';
import { closedVariables, cStrings } from './close-environment.ts';
import { eachTarget } from './command.ts';
import { allowedLibraries, budgetOf, isStatic } from './derived.ts';
import { type Elf, highestGlibc, isNewer, readElf } from './elf.ts';
import { packaged } from './package.ts';
import { Failure } from './problem.ts';
import { root } from './project.ts';
import { fuse, readSeaBlob } from './sea-blob.ts';
import { once, runStep } from './step.ts';
import type { ReadyTarget } from './targets.ts';

export interface Verified {
  readonly file: string;
  readonly sha256: string;
  readonly packages: readonly string[];
  readonly octets: number;
  /** The highest GLIBC symbol version wanted; null for static files. */
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
    inputs: { product: product.sha256, row: JSON.stringify(target), bundle: product.bundle.sha256 },
    code: [
      import.meta.filename,
      ...['elf.ts', 'sea-blob.ts', 'derived.ts', 'close-environment.ts'].map(
        (file) => `${import.meta.dirname}/${file}`,
      ),
    ],
    outputs: [],
    make: async () => {
      const file = await readFile(product.file);
      const faults = faultsOf(target, file, await readFile(product.bundle.file));
      if (faults.length > 0) throw new Failure(`the executable ${faults.join('\nthe executable ')}`);
      return { octets: file.length, glibc: highestGlibc(readElf(file).versionsWanted) };
    },
    summary: ({ glibc }) => (isStatic(target) ? 'static, needs nothing' : `needs glibc ${glibc}`),
  });
  return { ...facts, file: product.file, sha256: product.sha256, packages: product.bundle.packages };
}

function headerFaults(target: ReadyTarget, elf: Elf): string[] {
  const faults: string[] = [];
  const same = (what: string, wanted: unknown, got: unknown): void => {
    if (wanted !== got) faults.push(`must have ${what} ${wanted}, has ${got}`);
  };
  same('ELF machine', target.elf.machine, elf.machine);
  same('ELF class', target.elf.class, elf.class);
  same('ELF data', target.elf.data, elf.data);
  same('interpreter', target.interpreter, elf.interpreter);
  for (const part of elf.writableCode) faults.push(`must have no memory both writable and executable, has ${part}`);
  if (elf.hasSymbolTable) faults.push('must be stripped, has a symbol table');
  return faults;
}

function linkFaults(target: ReadyTarget, elf: Elf): string[] {
  const allowed = allowedLibraries(target);
  const faults = elf.needed
    .filter((library) => !allowed.includes(library))
    .map((library) => `may need only ${allowed.join(', ') || 'no library'}, needs ${library}`);
  const glibc = highestGlibc(elf.versionsWanted);
  const { glibc: promised } = target.oldest;
  if (glibc !== null && (promised === null || isNewer(glibc, promised))) {
    faults.push(`must run on glibc ${promised ?? 'none'}, wants symbols of ${glibc}`);
  }
  return faults;
}

function contentFaults(target: ReadyTarget, file: Buffer, elf: Elf, bundle: Buffer): string[] {
  const faults: string[] = [];
  const blob = readSeaBlob(elf);
  if (typeof blob === 'string') faults.push(`must carry the program: ${blob}`);
  else if (!blob.code.equals(bundle)) faults.push('must carry the bundle octet by octet, carries something else');
  if (!file.includes(`${fuse}:1`)) faults.push(`must have the fuse ${fuse} set, has not`);
  if (file.includes(`${root}/`)) faults.push(`must not name the folder of its build, names ${root}`);
  for (const name of Object.keys(closedVariables)) {
    if (cStrings(file, name).length > 0) faults.push(`must not ask for ${name}, asks`);
  }
  const budget = budgetOf(target).executable;
  if (file.length > budget) faults.push(`must have at most ${budget} octets, has ${file.length}`);
  return faults;
}

if (import.meta.main) await eachTarget("Holds each target's executable against its row in targets.json.", verify);

/**
 * `verify`: reads the packaged file and compares it with its row in targets.json and with the pinned runtime. Depends on no
 * tool's output and runs nothing. Owns nothing but its stamp.
 */
import { readFile } from 'node:fs/promises';
import { blobOf } from '../contents/blob.ts';
import { blankNames, cStrings } from '../formats/c-strings.ts';
import { DT, type Elf, hex, highestGlibc, isNewer, PF, PT, readElf } from '../formats/elf.ts';
import { ET, type Hardening, hardeningInWords, hardeningOf } from '../formats/hardening.ts';
import { injectionFaults } from '../formats/injected.ts';
import { fuse, type NewBlob, noteName, readSeaBlob, seaFlags, writeSeaBlob } from '../formats/sea-blob.ts';
import { closedVariables } from '../program/closed-variables.ts';
import { program } from '../program/program.ts';
import { root } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { sha256 } from '../support/hash.ts';
import { once } from '../support/once.ts';
import { runStep } from '../support/step.ts';
import type { Machine } from '../targets/architectures.ts';
import { eachTarget } from '../targets/select.ts';
import { allowedLibraries, budgetOf, isStatic } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { nodeBinary } from './node-binary.ts';
import { packaged } from './package.ts';

export interface Verified {
  readonly file: string;
  readonly sha256: string;
  readonly packages: readonly string[];
  readonly bytes: number;
  /** The highest GLIBC symbol version required; null for static files. */
  readonly glibc: string | null;
  /** DT_NEEDED. */
  readonly libraries: readonly string[];
  /** What the file lets the kernel protect, as it was checked. */
  readonly hardening: Hardening;
}

export function verify(target: ReadyTarget): Promise<Verified> {
  return once(`verify ${target.triple}`, () => make(target));
}

/** Every broken rule as a sentence; an empty list is the verdict "good". `runtime` is the one that targets.json pins. */
export function faultsOf(target: ReadyTarget, file: Buffer, blob: NewBlob, runtime: Buffer): string[] {
  const elf = valueOrFault(() => readElf(file));
  if (typeof elf === 'string') return [elf];
  return [
    ...headerFaults(target, elf),
    ...hardeningFaults(target, elf),
    ...linkFaults(target, elf),
    ...blobFaults(elf, blob),
    ...contentFaults(target, blob.assets.some(({ name }) => name === 'files') ? withoutPack(file, elf) : file),
    ...runtimeFaults(target, file, elf, runtime),
  ];
}

async function make(target: ReadyTarget): Promise<Verified> {
  const product = await packaged(target);
  const node = await nodeBinary(target);
  const { system } = product.bundle;
  const { facts } = await runStep({
    step: 'verify',
    target: target.triple,
    inputs: {
      product: product.sha256,
      target: JSON.stringify(target),
      node: node.sha256,
      system: JSON.stringify(system ?? null),
    },
    module: import.meta.filename,
    outputs: [],
    make: async () => {
      const [file, blob, runtime] = await Promise.all([
        readFile(product.file),
        blobOf(product.bundle),
        readFile(node.file),
      ]);
      const faults = faultsOf(target, file, blob, runtime);
      if (faults.length > 0) throw new Failure(`the executable ${faults.join('\nthe executable ')}`);
      const elf = readElf(file);
      return {
        bytes: file.length,
        glibc: system?.glibc ?? highestGlibc(elf.versionsRequired),
        libraries: [...elf.needed, ...(system?.libraries ?? [])],
        hardening: hardeningOf(elf),
      };
    },
    summary: ({ glibc, hardening }) => {
      const addons = system === undefined ? '' : ' because of native addons';
      const needs = isStatic(target) ? 'static, needs nothing' : `needs glibc ${glibc}${addons}`;
      return `${needs}; ${hardeningInWords(hardening)}`;
    },
  });
  return { ...facts, file: product.file, sha256: product.sha256, packages: product.bundle.packages };
}

/** A file that cannot be read is one fault; anything else that is thrown is a bug of ours. */
function valueOrFault<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof Failure) return `must be a whole ELF file: ${error.message}`;
    throw error;
  }
}

function headerFaults(target: ReadyTarget, elf: Elf): string[] {
  const faults: string[] = [];
  const mustEqual = (what: string, wanted: unknown, got: unknown): void => {
    if (wanted !== got) faults.push(`must have ${what} ${wanted}, got ${got}`);
  };
  const { machine } = target.architecture.elf;
  mustEqual('ELF machine', machine, elf.machine);
  mustEqual('ELF class', target.architecture.elf.class, elf.class);
  mustEqual('interpreter', target.interpreter, elf.interpreter);
  mustEqual('ELF type', 'EXEC', nameOfType(elf.type));
  mustEqual('ELF flags', hex(machineFlags[machine]), hex(elf.flags));
  const isCode = elf.segments.some(
    ({ type, flags, address, size }) =>
      type === PT.LOAD && (flags & PF.X) !== 0 && elf.entry >= address && elf.entry < address + size,
  );
  if (!isCode) faults.push(`must have its entry point in executable memory, got ${hex(elf.entry)}`);
  if (elf.hasSymbolTable) faults.push('must be stripped, got a symbol table');
  for (const { name } of elf.sections.filter((section) => /^\.z?debug_/.test(section.name))) {
    faults.push(`must have no debug information, got the section ${name}`);
  }
  return faults;
}

/** e_flags: on ARM the fifth edition of the ABI with floats in registers (0x200 would be the soft one). */
const machineFlags: Readonly<Record<Machine, number>> = { x86_64: 0, i386: 0, aarch64: 0, arm: 0x05000400 };

function nameOfType(type: number): string {
  return Object.entries(ET).find(([, value]) => value === type)?.[0] ?? String(type);
}

/**
 * What every runtime promises (runtimes/README.md): a fixed address, as the official executables have; no RELRO, because
 * postject could not inject into a 32-bit file that has it; everything else as strict as can be.
 */
function hardeningFaults(target: ReadyTarget, elf: Elf): string[] {
  const promised: Hardening = {
    address: 'fixed',
    relro: 'none',
    binding: isStatic(target) ? null : 'at start',
    stack: 'not executable',
    writableCode: false,
  };
  const got = hardeningOf(elf);
  const parts = elf.writableCode.map((part) => `must have no memory both writable and executable, got ${part}`);
  const [wanted, found] = [hardeningInWords(promised), hardeningInWords(got)];
  return wanted === found ? parts : [...parts, `must be protected as promised (${wanted}), got ${found}`];
}

/** Entries that load more, look elsewhere, or rewrite code; glibc before 2.36 does not know RELR. */
const forbiddenTags = [
  'RPATH',
  'RUNPATH',
  'AUDIT',
  'DEPAUDIT',
  'FILTER',
  'AUXILIARY',
  'CONFIG',
  'TEXTREL',
  'RELR',
] as const;
const textRelocations = 4;

function linkFaults(target: ReadyTarget, elf: Elf): string[] {
  const allowed = allowedLibraries(target);
  const faults = elf.needed
    .filter((library) => !allowed.includes(library))
    .map((library) => `must need only ${allowed.join(', ') || 'no library'}, got ${library}`);
  for (const { tag, value } of elf.dynamic) {
    const name = forbiddenTags.find((each) => DT[each] === tag);
    if (name !== undefined) faults.push(`must have no dynamic entry ${name}, got one with the value ${hex(value)}`);
    if (tag === DT.FLAGS && (value & textRelocations) !== 0) {
      faults.push(`must have no relocations of code, got the dynamic flags ${hex(value)}`);
    }
  }
  for (const version of elf.versionsRequired.filter((each) => !/^GLIBC_\d+(\.\d+)+$/.test(each))) {
    faults.push(`must require only numbered versions of glibc, got ${version}`);
  }
  if (isStatic(target) && elf.dynamic.length > 0) {
    faults.push(`must be static without a dynamic section, got one of ${elf.dynamic.length} entries`);
  }
  const glibc = highestGlibc(elf.versionsRequired);
  const { glibc: promised } = target.oldest;
  if (glibc !== null && (promised === null || isNewer(glibc, promised))) {
    faults.push(`must run on glibc ${promised ?? 'none'}, got symbols of ${glibc}`);
  }
  return faults;
}

/** Of all that a blob can do, ours runs one file. NODE_OPTIONS, which extension 1 would read, no runtime of ours knows. */
function blobFaults(elf: Elf, wanted: NewBlob): string[] {
  const blob = readSeaBlob(elf);
  if (typeof blob === 'string') return [`must contain the program, got ${blob}`];
  const faults: string[] = [];
  if (!blob.code.equals(wanted.code)) faults.push('must contain the bundle byte for byte, got something else');
  if (blob.codePath !== program.name) faults.push(`must name its code ${program.name}, got ${blob.codePath}`);
  const expected = readSeaBlob({
    class: elf.class,
    notes: [{ name: noteName, desc: writeSeaBlob(wanted, elf.class) }],
  });
  if (typeof expected === 'string') throw new TypeError(expected);
  if (blob.flags !== expected.flags) {
    const [right, got] = [expected.flags, blob.flags].map((flags) => `${hex(flags)} (${namesOf(flags)})`);
    faults.push(`must have the blob's flags ${right}, got ${got}`);
  }
  if (blob.execArgvExtension !== 1) {
    faults.push(
      `must have the blob's execArgv extension 1 (environment, which is closed), got ${blob.execArgvExtension}`,
    );
  }
  const size = expected.rest.length;
  if (!blob.rest.subarray(0, size).equals(expected.rest)) {
    faults.push('must contain the files and the options of Node byte for byte, got something else');
  }
  const after = blob.rest.subarray(size).find((byte) => byte !== 0);
  if (after !== undefined) faults.push(`must have nothing but zeros behind the program, got ${hex(after)}`);
  return faults;
}

function namesOf(flags: number): string {
  const names = Array.from({ length: 32 }, (_, bit) => ((flags >>> bit) & 1) === 1 && (seaFlags[bit] ?? `bit ${bit}`));
  return names.filter((name) => name !== false).join(', ') || 'none';
}

/** Somebody else's files may name any folder and any variable. */
function withoutPack(file: Buffer, elf: Elf): Buffer {
  const blob = readSeaBlob(elf);
  if (typeof blob === 'string' || blob.rest.length === 0) return file;
  const rest = Buffer.from(file);
  rest.fill(0, blob.rest.byteOffset - file.byteOffset, blob.rest.byteOffset - file.byteOffset + blob.rest.length);
  return rest;
}

function contentFaults(target: ReadyTarget, file: Buffer): string[] {
  const faults: string[] = [];
  if (!file.includes(`${fuse}:1`)) faults.push(`must have the fuse ${fuse} set, it has not`);
  if (file.includes(`${root}/`)) faults.push(`must not name the folder of its build, got ${root}`);
  for (const folder of ['/home/', '/root/', '/Users/', '/builds/']) {
    const at = file.indexOf(folder);
    if (at >= 0) faults.push(`must not name a folder of its build, got ${textAt(file, at)} at ${hex(at)}`);
  }
  for (const name of closedNames()) {
    if (cStrings(file, name).length > 0) faults.push(`must not look up ${name}, it does`);
  }
  const budget = budgetOf(target).executable;
  if (file.length > budget) faults.push(`must have at most ${budget} bytes, got ${file.length}`);
  return faults;
}

function textAt(file: Buffer, at: number): string {
  return /^[!-~]*/.exec(file.toString('latin1', at, at + 80))?.[0] ?? '';
}

function closedNames(): readonly string[] {
  return program.environment === 'closed' ? Object.keys(closedVariables) : [];
}

/** The pinned runtime, closed here again instead of trusting a file of `build/`, and the note are all that there may be. */
function runtimeFaults(target: ReadyTarget, file: Buffer, elf: Elf, runtime: Buffer): string[] {
  const got = sha256(runtime);
  if (got !== target.runtime.sha256) return [`must come from the runtime ${target.runtime.sha256}, got ${got}`];
  const closed = Buffer.from(runtime);
  blankNames(closed, closedNames());
  const faults = valueOrFault(() => injectionFaults({ bytes: closed, elf: readElf(closed) }, { bytes: file, elf }));
  return typeof faults === 'string' ? [faults] : faults;
}

if (import.meta.main) await eachTarget("Compares each target's executable with its row in targets.json.", verify);

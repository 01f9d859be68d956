/** What of a program and its packages is machine code, and which target can carry it. */
import path from 'node:path';
import { isNewer } from '../formats/elf.ts';
import type { NewFile } from '../formats/pack.ts';
import { root } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { allowedLibraries } from '../targets/target-facts.ts';
import type { Target } from '../targets/targets.ts';
import { addonFault, glibcOf, librariesOf, notForLinux } from './addons.ts';
import type { Package } from './packages.ts';

export interface PackedAddon {
  readonly path: string;
  readonly file: string;
  readonly data: Buffer;
  readonly owner: Package | undefined;
}

export interface System {
  /** The oldest glibc: the target's own, or the newer one that an addon requires. */
  readonly glibc: string | null;
  /** Libraries besides those of glibc that are neither in the pack. */
  readonly libraries: readonly string[];
}

export function systemOf(target: Target, good: readonly PackedAddon[], files: readonly NewFile[]): System {
  const newest = good
    .flatMap((addon) => glibcOf(addon) ?? [])
    .reduce<string | null>((a, b) => (a === null || isNewer(b, a) ? b : a), target.oldest.glibc);
  const inside = new Set(files.map((file) => path.basename(file.path)));
  const has = [...allowedLibraries(target), ...inside];
  const libraries = good.flatMap((addon) => librariesOf(addon).filter((library) => !has.includes(library)));
  return { glibc: newest, libraries: [...new Set(libraries)].sort() };
}

/**
 * An addon is fatal if its package has none for this target, and something needs the package; or if it is in one of several packages
 * for different systems, none of which is for this one.
 */
export function assertAddons(
  target: Target,
  packages: readonly Package[],
  own: readonly PackedAddon[],
  candidates: readonly PackedAddon[],
  good: readonly PackedAddon[],
): void {
  for (const addon of own) {
    const fault = addonFault(target, addon);
    if (fault !== undefined) throw new Failure(`${addon.file} cannot be loaded on ${target.triple}: ${fault}`);
  }
  const owners = new Set(candidates.flatMap(({ owner }) => owner ?? []));
  for (const owner of owners) {
    if (owner.isOptional) continue;
    const folder = path.relative(root, owner.folder);
    if (good.some((addon) => addon.owner === owner || addon.path.includes(`/${folder}/`))) continue;
    refuse(
      target,
      owner,
      candidates.filter((each) => each.owner === owner),
    );
  }
  for (const owner of packages.filter((each) => !each.isOptional)) {
    const isChoice = (addon: PackedAddon): boolean =>
      addon.owner?.isForPlatform === true && owner.optionalDependencies.includes(addon.owner.name);
    const choices = candidates.filter(isChoice);
    if (choices.length > 0 && !good.some((addon) => isChoice(addon) || addon.owner === undefined))
      refuse(target, owner, choices);
  }
}

function refuse(target: Target, { name, version }: Package, addons: readonly PackedAddon[]): never {
  const faults = addons.map((each) => ({ file: each.file, fault: addonFault(target, each) }));
  // Of prebuilt files for many systems, that for another one says the least.
  const { file, fault } = faults.find((each) => each.fault !== notForLinux) ?? (faults[0] as (typeof faults)[0]);
  throw new Failure(
    `${name} ${version} has the native addon ${file}, and ${target.triple} cannot load it: ${fault}; ` +
      `"addons" names one for this target, "without": ["${name}"] leaves the package out`,
  );
}

/** A program of a package for one system, such as esbuild's: what needs the package cannot work. */
export function assertNoPrograms(packages: readonly Package[], programs: readonly PackedAddon[]): void {
  for (const { name, version, optionalDependencies } of packages.filter((each) => !each.isOptional)) {
    const found = programs.find(({ owner }) => owner !== undefined && optionalDependencies.includes(owner.name));
    if (found === undefined) continue;
    throw new Failure(
      `${name} ${version} starts the program ${found.file}, which no system can start out of an executable; ` +
        `"without": ["${name}"] leaves the package out`,
    );
  }
}

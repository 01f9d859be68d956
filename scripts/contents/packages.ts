/**
 * npm packages as they lie in `node_modules`: each with everything that it depends on, found as Node finds it. All their files go
 * along but those that no Node reads: declarations, source maps, sources of addons, documentation.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';

export interface Package {
  readonly name: string;
  readonly version: string;
  /** As its package.json says it; empty if it does not. */
  readonly license: string;
  readonly engines: string;
  /** The folder, without links. */
  readonly folder: string;
  /** Where it was found, if that is a link. */
  readonly links: readonly string[];
  /** Only optional dependencies lead to it. */
  readonly isOptional: boolean;
  /** Its package.json says for which systems it is: one of several that do the same. */
  readonly isForPlatform: boolean;
  /** Names. */
  readonly optionalDependencies: readonly string[];
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: unknown;
  readonly engines?: { readonly node?: unknown };
  readonly os?: unknown;
  readonly cpu?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Wanted {
  readonly name: string;
  /** The folder of the package that asks for it. */
  readonly from: string;
  readonly isOptional: boolean;
}

export interface Closure {
  readonly packages: readonly Package[];
  /** What is not installed, and who needs it. */
  readonly missing: readonly Wanted[];
}

export function closureOf(wanted: readonly Wanted[], without: readonly string[]): Closure {
  const found = new Map<string, { package: Package; links: Set<string>; isOptional: boolean }>();
  const missing: Wanted[] = [];
  const waiting = [...wanted];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (without.includes(next.name)) continue;
    const at = folderOf(next.name, next.from);
    if (at === undefined) {
      if (!next.isOptional) missing.push(next);
      continue;
    }
    const folder = realpathSync(at);
    const known = found.get(folder);
    if (known !== undefined) {
      if (folder !== at) known.links.add(at);
      // What it depends on may have been optional only because it was.
      if (known.isOptional && !next.isOptional) {
        known.isOptional = false;
        waiting.push(...dependenciesOf(folder, false));
      }
      continue;
    }
    const { name = next.name, version = '', license, engines, os, cpu, optionalDependencies = {} } = manifestOf(folder);
    const own: Package = {
      name,
      version,
      license: typeof license === 'string' ? license : '',
      engines: typeof engines?.node === 'string' ? engines.node : '',
      folder,
      links: [],
      isOptional: false,
      isForPlatform: os !== undefined || cpu !== undefined,
      optionalDependencies: Object.keys(optionalDependencies),
    };
    found.set(folder, { package: own, links: new Set(folder === at ? [] : [at]), isOptional: next.isOptional });
    waiting.push(...dependenciesOf(folder, next.isOptional));
  }
  const packages = [...found.values()].map((each) => ({
    ...each.package,
    links: [...each.links].sort(),
    isOptional: each.isOptional,
  }));
  return { packages: packages.sort((a, b) => (a.folder < b.folder ? -1 : 1)), missing };
}

/** What the package.json of `folder` names. A peer that is not there is its user's choice. */
export function dependenciesOf(folder: string, isOptional: boolean): Wanted[] {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = manifestOf(folder);
  const optional = { ...peerDependencies, ...optionalDependencies };
  return [
    ...Object.keys(dependencies)
      .filter((name) => !Object.hasOwn(optionalDependencies, name))
      .map((name) => ({ name, from: folder, isOptional })),
    ...Object.keys(optional)
      .filter((name) => !Object.hasOwn(dependencies, name) || Object.hasOwn(optionalDependencies, name))
      .map((name) => ({ name, from: folder, isOptional: true })),
  ];
}

export function folderOf(name: string, from: string): string | undefined {
  for (let at = from; ; at = path.dirname(at)) {
    const folder = path.join(at, 'node_modules', name);
    if (path.basename(at) !== 'node_modules' && existsSync(path.join(folder, 'package.json'))) return folder;
    if (at === path.dirname(at)) return undefined;
  }
}

/** Of a package, relative to its folder; sorted. */
export function filesOf(folder: string): string[] {
  const below = (prefix: string): string[] =>
    readdirSync(path.join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
      const name = prefix + entry.name;
      if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === '.git' ? [] : below(`${name}/`);
      return entry.isFile() && !unread.test(name) ? [name] : [];
    });
  return below('').sort();
}

const unread =
  /(\.d\.[mc]?ts|\.[mc]?tsx?|\.map|\.md|\.markdown|\.flow|\.tsbuildinfo|\.cc?|\.cpp|\.hh?|\.hpp|\.gypi?|\.gz|\.[ao]|\.mk|\.yml|\.lock|\/Makefile)$|(^|\/)\.(github|bin|npmignore|eslintrc|editorconfig)/;

const manifests = new Map<string, Manifest>();

function manifestOf(folder: string): Manifest {
  let manifest = manifests.get(folder);
  if (manifest === undefined) {
    const file = path.join(folder, 'package.json');
    manifest = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : {};
    manifests.set(folder, manifest);
  }
  return manifest;
}

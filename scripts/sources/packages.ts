/**
 * The npm packages that decide a release's bytes: what is bundled, what bundles and packages, and the Node that does it.
 * The lock file pins their tarballs, but nobody compares what lies in `node_modules` with those. So `packages.json` pins, per
 * package, the lock file's integrity and a hash of the files that it unpacks to. Run alone, this writes it, which is only
 * right after `npm ci`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { toolchain } from '../support/checkout.ts';
import { command } from '../support/command.ts';
import { sha256, sha256FilesSync } from '../support/hash.ts';

/** `files` is null for a package of another system, which npm does not install here. */
interface Pin {
  readonly version: string;
  readonly integrity: string;
  readonly files: string | null;
}

export type Pins = Readonly<Record<string, Pin>>;

export interface CheckedPackages {
  readonly sha256: string;
  /** Each names the package, the rule and the value. */
  readonly faults: readonly string[];
}

interface LockEntry {
  readonly version: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const deciding = ['commander', 'esbuild', '@yao-pkg/pkg', 'postject', 'node'];
const pinsFile = path.join(import.meta.dirname, 'packages.json');

export function checkPackages(folder: string = toolchain, file: string = pinsFile): CheckedPackages {
  const pins = JSON.parse(readFileSync(file, 'utf8')) as Pins;
  const now = pinPackages(folder);
  const names = [...new Set([...Object.keys(pins), ...Object.keys(now)])].sort();
  const faults = names.flatMap((name) => {
    const [pinned, found] = [pins[name], now[name]];
    if (pinned === undefined) return [`${name} must be in scripts/sources/packages.json (npm run packages), is not`];
    if (found === undefined) return [`${name} must be in package-lock.json, is not`];
    if (pinned.integrity !== found.integrity) {
      return [
        `${name} must be ${pinned.version} ${pinned.integrity} in package-lock.json, got ${found.version} ${found.integrity}`,
      ];
    }
    if (pinned.files === found.files) return [];
    return [`${name} must hold the files of ${pinned.version} (npm ci), got ${found.files ?? 'none'}`];
  });
  return { sha256: sha256(JSON.stringify(now)), faults };
}

export function pinPackages(folder: string): Pins {
  const { packages: lock } = JSON.parse(readFileSync(path.join(folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>;
  };
  const names = closure(lock, deciding).sort();
  return Object.fromEntries(
    names.map((name) => {
      const { version = '', integrity = '' } = lock[name] ?? {};
      return [name, { version, integrity, files: hashOf(path.join(folder, name)) }];
    }),
  );
}

/** The packages and whatever they depend on, as Node resolves it, by their paths. */
function closure(lock: Readonly<Record<string, LockEntry>>, names: readonly string[]): string[] {
  const found = new Set(names.flatMap((name) => resolve(lock, '', name)));
  for (const from of found) {
    const { dependencies, optionalDependencies, peerDependencies } = lock[from] ?? {};
    const wanted = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
    for (const name of wanted) for (const at of resolve(lock, from, name)) found.add(at);
  }
  return [...found];
}

function resolve(lock: Readonly<Record<string, LockEntry>>, from: string, name: string): string[] {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const at = path.posix.join(folder, 'node_modules', name);
    if (lock[at] !== undefined) return [at];
    if (folder === '') return [];
  }
}

/** Of every file's name and content, without nested packages. */
function hashOf(folder: string): string | null {
  const names = filesOf(folder, '');
  return names.length === 0 ? null : sha256FilesSync(folder, names);
}

function filesOf(folder: string, below: string): string[] {
  let entries: { name: string; isDirectory(): boolean }[];
  try {
    entries = readdirSync(path.join(folder, below), { withFileTypes: true });
  } catch (error) {
    if (below === '' && (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .flatMap((entry) => {
      const name = path.posix.join(below, entry.name);
      // esbuild's own install script replaces this file, or not, and its library does not use it.
      if (entry.name === 'node_modules' || (folder.endsWith('/node_modules/esbuild') && name === 'bin')) return [];
      return entry.isDirectory() ? filesOf(folder, name) : [name];
    })
    .sort();
}

if (import.meta.main) {
  await command({ about: 'Pins the npm packages that decide the bytes; right after `npm ci` only.' }, async () =>
    writeFileSync(pinsFile, `${JSON.stringify(pinPackages(toolchain), null, 2)}\n`),
  );
}

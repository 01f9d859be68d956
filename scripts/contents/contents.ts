/** What goes into a program's executable beside our loader: its modules, its packages, its assets, and what was found out on the way. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';
import { type NewFile, writePack } from '../formats/pack.ts';
import { lineOf } from '../program/check.ts';
import { type Program, program } from '../program/program.ts';
import { root } from '../support/checkout.ts';
import { UsageError } from '../support/errors.ts';
import { once } from '../support/once.ts';
import type { Target } from '../targets/targets.ts';
import { addonFault, isProgram } from './addons.ts';
import { assertAddons, assertNoPrograms, type PackedAddon, type System, systemOf } from './native.ts';
import { type Closure, closureOf, dependenciesOf, filesOf, type Package } from './packages.ts';
import { assertDoWithout, type Traced, trace } from './trace.ts';
import { isTyped, toJavaScript } from './typescript.ts';

export interface Contents {
  readonly pack: Buffer;
  readonly packages: readonly Package[];
  readonly files: number;
  /** What its native addons ask of the system; undefined without any. */
  readonly system: System | undefined;
}

/** What is the same for every target. */
export interface Sources {
  readonly traced: Traced;
  readonly closure: Closure;
  /** Everything but native addons. */
  readonly files: readonly NewFile[];
  readonly addons: readonly PackedAddon[];
  /** Programs in packages that are for one system; they stay outside. */
  readonly programs: readonly PackedAddon[];
  /** Each a line. */
  readonly warnings: readonly string[];
  readonly hasSourceMaps: boolean;
}

export function readSources(): Promise<Sources> {
  return once('sources', collect);
}

/** Refuses what this target cannot load. */
export async function contentsFor(target: Target, time: number): Promise<Contents> {
  const { files, addons, programs, closure, traced, hasSourceMaps } = await readSources();
  const base = baseOf(closure);
  const own = Object.entries(program.addons[target.triple] ?? {}).map(([at, file]) => ({
    path: pathIn(base, path.join(root, at)),
    file,
    data: readFileSync(path.join(root, file)),
    owner: undefined,
  }));
  const replaced = new Set(own.map((addon) => addon.path));
  const candidates = addons.filter((addon) => !replaced.has(addon.path));
  const good = [...own, ...candidates.filter((addon) => addonFault(target, addon) === undefined)];
  assertNoPrograms(closure.packages, programs);
  assertAddons(target, closure.packages, own, candidates, good);
  const all = [...files, ...good.map(({ path, data }) => ({ path, data, isModule: false }))];
  const links = closure.packages.flatMap((each) =>
    each.links.map((link) => [pathIn(base, link), pathIn(base, each.folder)] as const),
  );
  const aliases: Record<string, Record<string, string>> = {};
  for (const [importer, specifier, file] of traced.aliases) {
    const from = pathIn(base, path.join(root, importer));
    aliases[from] = { ...aliases[from], [specifier]: pathIn(base, path.join(root, file)) };
  }
  const main = pathIn(base, path.join(root, program.entry));
  const head = { root: virtualRoot, main, time, hasSourceMaps, links: Object.fromEntries(links), aliases };
  return {
    pack: writePack(head, all),
    packages: closure.packages,
    files: all.length,
    system: good.length === 0 ? undefined : systemOf(target, good, files),
  };
}

/** Where the program finds itself: a folder that no system has. */
const virtualRoot = `/vrypt/${program.name}`;

async function collect(): Promise<Sources> {
  assertEntries(program);
  const entries = [program.entry, ...program.workers].map((file) => path.normalize(file));
  const traced = await trace(root, entries);
  const imported = [...traced.packages.keys(), ...program.packages];
  const named = dependenciesOf(root, false);
  const closure = closureOf(
    [...named, ...imported.map((name) => ({ name, from: root, isOptional: false }))],
    program.without,
  );
  const missing = closure.missing.filter(({ name }) => !isBuiltin(name));
  const asked = missing.filter(({ name }) => traced.packages.has(name)).map(({ name }) => name);
  if (asked.length > 0) await assertDoWithout(root, entries, asked);
  const warnings = [
    ...missing.map(({ name, from }) => {
      const asks = from === root ? (traced.packages.get(name) ?? 'package.json') : path.basename(from);
      return `${name} is not installed, which ${asks} asks for`;
    }),
    ...traced.gone.map(([module, named]) => `${named} is not there, which ${module} names`),
  ];
  const base = baseOf(closure);
  const files: NewFile[] = [];
  const addons: PackedAddon[] = [];
  const programs: PackedAddon[] = [];
  /** By who has them. They go along: a program may write one into a folder of the system and start it there. */
  const executables = new Map<string, string[]>();
  let hasSourceMaps = false;
  const seen = new Set<string>();
  const add = async (file: string, owner: Package | undefined): Promise<void> => {
    if (seen.has(file)) return;
    seen.add(file);
    const data = readFileSync(file);
    const at = pathIn(base, file);
    const shown = path.relative(root, file);
    if (file.endsWith('.node')) {
      addons.push({ path: at, file: shown, data, owner });
      return;
    }
    if (isProgram(data)) {
      if (owner?.isForPlatform === true) {
        programs.push({ path: at, file: shown, data, owner });
        return;
      }
      const name = owner?.name ?? program.name;
      executables.set(name, [...(executables.get(name) ?? []), shown]);
    }
    const compiled = owner === undefined && isTyped(file) ? await toJavaScript(root, shown) : undefined;
    const isModule =
      /(\.[jt]sx?|\/[^./]+)$/.test(file) && !hasType(file) && isModuleSyntax(compiled?.code ?? data.toString());
    hasSourceMaps ||= compiled?.hasSourceMap === true;
    hasSourceMaps ||= owner === undefined && existsSync(`${file}.map`);
    files.push({ path: at, data: compiled === undefined ? data : Buffer.from(compiled.code), isModule });
  };
  const isOut = (file: string): boolean => program.without.some((pattern) => path.matchesGlob(file, pattern));
  const own = [...traced.modules, ...traced.assets.flatMap(allBelow), ...program.assets.flatMap(matching)];
  const maps = own.map((file) => `${file}.map`).filter((file) => existsSync(path.join(root, file)));
  for (const file of [...new Set([...own, ...maps, ...manifestsAbove(own)])].sort()) {
    if (!isOut(file)) await add(path.join(root, file), undefined);
  }
  for (const each of closure.packages) {
    for (const file of filesOf(each.folder)) {
      const full = path.join(each.folder, file);
      if (!isOut(path.relative(root, full))) await add(full, each);
    }
  }
  for (const [name, [first = '', ...more]] of executables) {
    const others = more.length === 0 ? '' : ` and ${more.length} more`;
    warnings.push(
      `${name} has the program ${first}${others}, which is built for one CPU and cannot be started where it lies in the executable`,
    );
  }
  return { traced, closure, files, addons, programs, warnings, hasSourceMaps };
}

function assertEntries({ file, entry, workers }: Program): void {
  const text = existsSync(path.join(root, file)) ? readFileSync(path.join(root, file), 'utf8') : '';
  for (const [field, name] of [['entry', entry], ...workers.map((worker) => ['workers', worker])] as [
    string,
    string,
  ][]) {
    if (existsSync(path.join(root, name)) && statSync(path.join(root, name)).isFile()) continue;
    throw new UsageError(`${file}:${lineOf(text, [field])}: ${field} must be a file, got ${name}, which is not there`);
  }
}

/** The folder above all that goes along: a monorepo's, if packages lie there. */
function baseOf({ packages }: Closure): string {
  let base = root;
  const places = packages.flatMap(({ folder, links }) => [folder, ...links]);
  while (places.some((place) => !place.startsWith(`${base}${path.sep}`))) base = path.dirname(base);
  return base;
}

function pathIn(base: string, file: string): string {
  return `${virtualRoot}/${path.relative(base, file)}`;
}

function allBelow(name: string): string[] {
  if (!statSync(path.join(root, name)).isDirectory()) return [name];
  return globSync('**/*', { cwd: path.join(root, name), withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

function matching(pattern: string): string[] {
  const found = existsSync(path.join(root, pattern)) ? [pattern] : globSync(pattern, { cwd: root });
  if (found.length > 0) return found.flatMap((name) => allBelow(path.normalize(name)));
  const text = readFileSync(path.join(root, program.file), 'utf8');
  throw new UsageError(
    `${program.file}:${lineOf(text, ['assets'])}: assets must match files, got ${pattern}, which matches none`,
  );
}

/** The package.json of every folder from the project's down to each file: they say what kind of module it is. */
function manifestsAbove(files: readonly string[]): string[] {
  const folders = new Set(['.']);
  for (const file of files) {
    for (let at = path.dirname(file); at !== '.'; at = path.dirname(at)) folders.add(at);
  }
  return [...folders]
    .map((folder) => path.join(folder, 'package.json'))
    .filter((file) => existsSync(path.join(root, file)));
}

const types = new Map<string, boolean>();

/** Whether a package.json says if a file is an ES module. */
function hasType(file: string): boolean {
  const folder = path.dirname(file);
  const known = types.get(folder);
  if (known !== undefined) return known;
  const manifest = path.join(folder, 'package.json');
  const isTop = folder === path.dirname(folder) || path.basename(folder) === 'node_modules';
  const has = existsSync(manifest)
    ? typeof (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: unknown }).type === 'string'
    : !isTop && hasType(folder);
  types.set(folder, has);
  return has;
}

/** Node's own way of telling: what does not compile as CommonJS because of ES syntax is an ES module. */
function isModuleSyntax(code: string): boolean {
  if (!/^\s*(import|export)\b|import\.meta|\bawait\b|[;}]\s*(import|export)\b/m.test(code)) return false;
  try {
    vm.compileFunction(code.replace(/^#!.*/, ''), ['exports', 'require', 'module', '__filename', '__dirname']);
    return false;
  } catch (error) {
    const text = error instanceof Error ? error.message : '';
    return /import statement outside a module|Unexpected token 'export'|import\.meta|await is only valid/.test(text);
  }
}

/**
 * Which of the program's own files it needs: its entry, its workers, and everything that these import, or name beside themselves
 * (`new URL('./x', import.meta.url)`, `path.join(import.meta.dirname, 'x')`).
 */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { type BuildOptions, build as esbuild, type ImportKind, type Message, type PluginBuild } from 'esbuild';
import { Failure } from '../support/errors.ts';

export interface Traced {
  /** Modules, below the project's folder; sorted. */
  readonly modules: readonly string[];
  /** Further files and folders that they name. */
  readonly assets: readonly string[];
  /** npm packages by name, with the place of one import. */
  readonly packages: ReadonlyMap<string, string>;
  /** Specifiers that no rule of Node leads to a file: importer, specifier, file. */
  readonly aliases: readonly (readonly [importer: string, specifier: string, file: string])[];
  /** Paths that modules name as a whole, and that are not there: module, path. */
  readonly gone: readonly (readonly [module: string, named: string])[];
}

/** A file without an extension is code if it is named as an entry, as those of command lines are. */
const code = /(\.[mc]?[jt]sx?|(^|\/)[^./]+)$/;
const codeInFolders = /\.[mc]?[jt]sx?$/;

export async function trace(folder: string, entries: readonly string[]): Promise<Traced> {
  const modules = new Set<string>();
  const assets = new Set<string>();
  const packages = new Map<string, string>();
  const aliases: (readonly [string, string, string])[] = [];
  const gone: (readonly [string, string])[] = [];
  let waiting = [...entries];
  while (waiting.length > 0) {
    const inputs = await importsOf(folder, waiting);
    waiting = [];
    for (const [file, { imports }] of Object.entries(inputs)) {
      if (file.startsWith('(') || modules.has(file)) continue;
      modules.add(file);
      for (const { path: target, external, original } of imports) {
        if (external === true) {
          const name = packageOf(target);
          if (name !== undefined && !packages.has(name)) packages.set(name, file);
        } else if (original !== undefined && !/^\.{0,2}\//.test(original) && !target.includes('node_modules/')) {
          aliases.push([file, original, target]);
        }
      }
      if (!code.test(file)) continue;
      const text = readFileSync(path.join(folder, file), 'utf8');
      gone.push(...goneIn(folder, path.dirname(file), text).map((named) => [file, named] as const));
      for (const named of namedIn(folder, file, text)) {
        if (isFolder(path.join(folder, named))) {
          assets.add(named);
          for (const more of await importedFrom(folder, named)) if (!modules.has(more)) waiting.push(more);
        } else if (codeInFolders.test(named)) waiting.push(named);
        else assets.add(named);
      }
    }
    waiting = [...new Set(waiting)].filter((file) => !modules.has(file));
  }
  return { modules: [...modules].sort(), assets: [...assets].sort(), packages, aliases, gone };
}

/**
 * What the modules of a folder lead to, such as routes that are loaded by computed names. Others in it are files for browsers: what
 * these import from packages does not count, and one that cannot be read is only a file.
 */
async function importedFrom(folder: string, named: string): Promise<string[]> {
  const below = globSync('**/*', { cwd: path.join(folder, named), exclude: (name) => name === 'node_modules' })
    .filter((file) => codeInFolders.test(file) && !/\.d\.[mc]?ts$/.test(file))
    .map((file) => path.join(named, file));
  if (below.length === 0) return [];
  try {
    return Object.keys(await importsOf(folder, below)).filter((file) => !file.startsWith('('));
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}

function isFolder(file: string): boolean {
  return statSync(file).isDirectory();
}

interface Input {
  readonly imports: readonly { path: string; kind: ImportKind; external?: boolean; original?: string }[];
}

/** Writes nothing: only the graph is wanted. */
function readsOnly(folder: string, entryPoints: readonly string[]) {
  return {
    absWorkingDir: folder,
    entryPoints: [...entryPoints],
    outdir: 'nowhere',
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    loader: {
      '': 'js',
      '.node': 'copy',
      '.wasm': 'copy',
      '.html': 'copy',
      '.txt': 'copy',
      '.md': 'copy',
      '.css': 'copy',
    },
  } as const satisfies BuildOptions;
}

async function importsOf(folder: string, entryPoints: readonly string[]): Promise<Record<string, Input>> {
  try {
    const { metafile } = await esbuild({
      ...readsOnly(folder, entryPoints),
      packages: 'external',
    });
    return metafile.inputs;
  } catch (error) {
    const { errors = [] } = error as { errors?: readonly Message[] };
    if (errors.length === 0) throw error;
    throw new Failure(errors.map(inWords).join('\n'));
  }
}

/**
 * Refuses modules that cannot do without these packages, which are not installed. A module can where the call stands in a `try` or has
 * a `catch`, and so it can without what `namedIn` found, which may be for browsers.
 */
export async function assertDoWithout(folder: string, entries: readonly string[], packages: readonly string[]) {
  try {
    await esbuild({
      ...readsOnly(folder, entries),
      plugins: [
        {
          name: 'only these',
          setup: ({ onResolve }) =>
            onResolve({ filter: /^[^./]/ }, ({ path: name, kind }) =>
              kind === 'entry-point' || packages.includes(packageOf(name) ?? '') ? undefined : { external: true },
            ),
        },
      ],
    });
  } catch (error) {
    const { errors = [] } = error as { errors?: readonly Message[] };
    const places = errors.map((each) => ({ ...each, name: /^Could not resolve "(.*)"$/.exec(each.text)?.[1] }));
    if (places.length === 0 || places.some(({ name }) => name === undefined)) throw error;
    const lines = places.map((each) => inWords({ ...each, text: `${each.name} is not installed` }));
    throw new Failure(`${lines.join('\n')}\nInstall it, or name it in "without" if the program can do without it.`);
  }
}

function inWords({ location, text }: Pick<Message, 'location' | 'text'>): string {
  return location === null ? text : `${location.file}:${location.line}: ${text}`;
}

/** The name of a package; undefined for Node's own modules, URLs and paths. */
export function packageOf(specifier: string): string | undefined {
  if (/^(node:|data:|https?:|file:|#|\.|\/)/.test(specifier)) return undefined;
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}

/**
 * Existing files and folders that a module names by a path beside itself. Of a path that ends in something computed, such as
 * `path.join(import.meta.dirname, 'languages', name)`, it is the folder.
 */
function namedIn(folder: string, file: string, text: string): string[] {
  const here = path.dirname(file);
  const lists = /\b(?:readdir(?:Sync)?|requireDirectory|globSync)\(\s*(?:__dirname|import\.meta\.dirname)\s*[,)]/.test(
    text,
  );
  // A module that lists its own folder, as models and routes are often loaded.
  if (lists && here !== '.') return [here, ...namedBy(folder, here, text)];
  return namedBy(folder, here, text);
}

function namedBy(folder: string, here: string, text: string): string[] {
  const relative = [
    ...[...text.matchAll(/new URL\(\s*(['"`])(\.{1,2}\/[^'"`$]+)(?:\$[^'"`]*)?\1\s*,\s*import\.meta\.url/g)].map(
      (match) => match[2],
    ),
    ...[...text.matchAll(/(?:import\.meta\.dirname|__dirname)\s*,\s*((?:(['"`])[^'"`$]*\2\s*,?\s*)+)/g)].map((match) =>
      pathOf(match[1] ?? ''),
    ),
    ...[...text.matchAll(/(?:import\.meta\.dirname|__dirname)\s*\+\s*(['"`])\/?([^'"`$]+)\1/g)].map(
      (match) => match[2],
    ),
    ...[...text.matchAll(/\$\{(?:import\.meta\.dirname|__dirname)\}\/([^'"`$\s]+)/g)].map((match) => match[1]),
  ];
  return relative.flatMap((name) => {
    let target = path.join(here, name ?? '').replace(/\/$/, '');
    while (target !== '.' && !existsSync(path.join(folder, target))) target = path.dirname(target);
    const isInside = target !== '.' && !target.startsWith('..') && !target.startsWith('node_modules');
    if (!isInside) return [];
    // A folder that holds the module itself would take everything along.
    return statSync(path.join(folder, target)).isDirectory() && `${here}/`.startsWith(`${target}/`) ? [] : [target];
  });
}

/** Of arguments that are all texts. */
function pathOf(literals: string): string {
  return [...literals.matchAll(/(['"`])([^'"`]*)\1/g)].map((part) => part[2]).join('/');
}

/** Of the paths that are written out as a whole, those that lead to nothing; it may be made later, but not inside the executable. */
function goneIn(folder: string, here: string, text: string): string[] {
  const urls = [...text.matchAll(/new URL\(\s*(['"])(\.{1,2}\/[^'"?#]+)\1\s*,\s*import\.meta\.url\s*\)/g)];
  const joined = /(?:join|resolve)\(\s*(?:import\.meta\.dirname|__dirname)\s*,\s*((?:(['"])[^'"]*\2\s*,?\s*)+)\)/g;
  const names = [
    ...urls.map((match) => match[2] ?? ''),
    ...[...text.matchAll(joined)].map((match) => pathOf(match[1] ?? '')),
  ];
  return names
    .map((name) => path.join(here, name))
    .filter((name) => !name.startsWith('..') && !/[{}*<>]/.test(name) && !existsSync(path.join(folder, name)));
}

/** Every file, packages included, that the entries lead to and that is more than unused exports; below or beside `folder`. */
export async function reached(
  folder: string,
  entryPoints: readonly string[],
  without: readonly string[],
): Promise<string[]> {
  const { metafile } = await esbuild({
    ...readsOnly(folder, entryPoints),
    target: 'node24',
    conditions: [],
    external: [...without],
    plugins: [{ name: 'optional', setup: leaveOut }],
  });
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return [...new Set(used.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file))].sort();
}

/** What is not installed is not reached. */
function leaveOut({ onResolve, resolve }: PluginBuild): void {
  onResolve({ filter: /^[^./]/ }, async ({ path: name, pluginData, importer, resolveDir, kind }) => {
    if (pluginData === leaveOut || kind === 'entry-point') return undefined;
    const {
      errors,
      path: found,
      external,
      sideEffects,
    } = await resolve(name, {
      importer,
      resolveDir,
      kind,
      pluginData: leaveOut,
    });
    return errors.length > 0 ? { path: name, external: true } : { path: found, external, sideEffects };
  });
}

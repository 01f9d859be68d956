/**
 * Node's rules for finding a module (nodejs.org/api/esm.html#resolution-algorithm-specification and modules.html), over the
 * packed files. Two things more, for the program's own files alone, as TypeScript and bundlers have them: an import may leave out
 * the extension, and `.js` may stand for `.ts`.
 */
import { exports as exportsOf, imports as importsOf } from 'resolve.exports';
import type { Files } from './files.ts';

interface Manifest {
  readonly name?: string;
  readonly main?: string;
  readonly type?: string;
  readonly exports?: unknown;
  readonly imports?: unknown;
}

export class Resolver {
  private readonly files: Files;
  /** By folder; null where there is none. */
  private readonly manifests = new Map<string, Manifest | null>();
  private readonly found = new Map<string, string | undefined>();

  constructor(files: Files) {
    this.files = files;
  }

  /** The path of the file; undefined if there is none. Throws if a package does not export it. */
  resolve(specifier: string, parent: string, conditions: readonly string[]): string | undefined {
    const key = `${conditions.includes('import') ? 'i' : 'r'}${parent}\0${specifier}`;
    if (this.found.has(key)) return this.found.get(key);
    const path = this.find(specifier, parent, conditions);
    this.found.set(key, path);
    return path;
  }

  /** `module`, `commonjs` or `json`, by extension, package and syntax. */
  formatOf(path: string): string {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const extension = name.includes('.') ? name.slice(name.lastIndexOf('.')) : '';
    const fixed = formats[extension];
    if (fixed !== undefined) return fixed;
    // Like the last four, what has no extension is what its package says (nodejs.org/api/packages.html#determining-module-system).
    if (!['', '.js', '.ts', '.jsx', '.tsx'].includes(extension)) return 'commonjs';
    const type = this.manifestOf(path)?.manifest.type;
    if (type === 'module' || type === 'commonjs') return type;
    return this.files.file(path)?.[2] === 1 ? 'module' : 'commonjs';
  }

  private find(specifier: string, parent: string, conditions: readonly string[]): string | undefined {
    const alias = this.files.index.aliases[parent]?.[specifier];
    if (alias !== undefined) return alias;
    const isImport = conditions.includes('import');
    const folder = parent.slice(0, parent.lastIndexOf('/'));
    if (/^\.\.?(\/|$)/.test(specifier))
      return this.fileAt(this.files.inside(`${folder}/${specifier}`), specifier, isImport);
    if (specifier.startsWith('/')) return this.fileAt(this.files.inside(specifier), specifier, isImport);
    if (specifier.startsWith('#')) return this.findImported(specifier, parent, conditions);
    const [, name = '', rest = ''] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(specifier) ?? [];
    const own = this.manifestOf(parent);
    if (own?.manifest.name === name && own.manifest.exports !== undefined) {
      return this.exported(own.folder, own.manifest, `.${rest}`, conditions);
    }
    for (let at = folder; at.length >= this.files.index.root.length; at = at.slice(0, at.lastIndexOf('/'))) {
      if (at.endsWith('/node_modules')) continue;
      const target = this.files.real(`${at}/node_modules/${name}`);
      const manifest = this.manifestIn(target);
      if (manifest === undefined && !this.files.isFolder(target)) continue;
      if (manifest?.exports !== undefined && manifest.exports !== null) {
        return this.exported(target, manifest, `.${rest}`, conditions);
      }
      if (rest === '' || rest === '/') return this.mainOf(target, manifest);
      return this.fileAt(this.files.inside(target + rest), specifier, isImport);
    }
    return undefined;
  }

  private findImported(specifier: string, parent: string, conditions: readonly string[]): string | undefined {
    const own = this.manifestOf(parent);
    if (own?.manifest.imports === undefined) return undefined;
    const [target] = importsOf(own.manifest, specifier, { conditions, unsafe: true }) ?? [];
    if (target === undefined) return undefined;
    if (target.startsWith('./')) return this.files.inside(`${own.folder}/${target}`);
    return this.find(target, `${own.folder}/package.json`, conditions);
  }

  private exported(
    folder: string,
    manifest: Manifest,
    entry: string,
    conditions: readonly string[],
  ): string | undefined {
    let targets: readonly string[] | undefined;
    try {
      targets = exportsOf(manifest, entry === './' ? '.' : entry, { conditions, unsafe: true }) ?? [];
    } catch {
      targets = [];
    }
    const existing = targets
      .map((target) => this.files.inside(`${folder}/${target}`))
      .find((path) => this.isFile(path));
    if (existing !== undefined) return existing;
    if (targets.length > 0) return undefined;
    const what = entry === '.' ? 'No "exports" main defined' : `Package subpath '${entry}' is not defined by "exports"`;
    throw Object.assign(new Error(`${what} in ${folder}/package.json`), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
  }

  private mainOf(folder: string, manifest: Manifest | undefined): string | undefined {
    const { main } = manifest ?? {};
    const named = typeof main === 'string' ? this.files.inside(`${folder}/${main}`) : undefined;
    return (named === undefined ? undefined : this.probe(named)) ?? this.probe(`${folder}/index`);
  }

  /** `import` takes a file's whole name; `require` also looks for extensions and folders. */
  private fileAt(path: string | undefined, specifier: string, isImport: boolean): string | undefined {
    if (path === undefined) return undefined;
    if (this.isFile(path) && !specifier.endsWith('/')) return path;
    const isOwn = !path.includes('/node_modules/');
    if (isImport && !isOwn) return undefined;
    const typed = isOwn ? this.typed(path) : undefined;
    return typed ?? this.probe(path);
  }

  /** `./a.js` for a file that is called a.ts. */
  private typed(path: string): string | undefined {
    const match = /\.([mc]?)jsx?$/.exec(path);
    if (match === null) return undefined;
    const stem = path.slice(0, match.index);
    return [`${stem}.${match[1]}ts`, `${stem}.tsx`].find((each) => this.isFile(each));
  }

  private probe(path: string): string | undefined {
    if (this.isFile(path)) return path;
    const direct = extensions.map((extension) => path + extension).find((each) => this.isFile(each));
    if (direct !== undefined) return direct;
    const manifest = this.manifestIn(path);
    const main = typeof manifest?.main === 'string' ? this.files.inside(`${path}/${manifest.main}`) : undefined;
    if (main !== undefined && main !== path) {
      const found = this.probe(main);
      if (found !== undefined) return found;
    }
    return extensions.map((extension) => `${path}/index${extension}`).find((each) => this.isFile(each));
  }

  private isFile(path: string | undefined): boolean {
    return path !== undefined && this.files.file(path) !== undefined;
  }

  /** The nearest one above a file, inside its package. */
  private manifestOf(path: string): { folder: string; manifest: Manifest } | undefined {
    const { root } = this.files.index;
    let folder = path.slice(0, path.lastIndexOf('/'));
    while (folder.length >= root.length && !folder.endsWith('/node_modules')) {
      const manifest = this.manifestIn(folder);
      if (manifest !== undefined) return { folder, manifest };
      folder = folder.slice(0, folder.lastIndexOf('/'));
    }
    return undefined;
  }

  private manifestIn(folder: string): Manifest | undefined {
    let manifest = this.manifests.get(folder);
    if (manifest === undefined) {
      const file = this.files.file(`${folder}/package.json`);
      manifest = file === undefined ? null : (JSON.parse(this.files.text(file)) as Manifest);
      this.manifests.set(folder, manifest);
    }
    return manifest ?? undefined;
  }
}

const extensions = ['.js', '.json', '.node', '.cjs', '.mjs', '.ts', '.mts', '.cts', '.tsx', '.jsx'];

const formats: Readonly<Record<string, string>> = {
  '.mjs': 'module',
  '.mts': 'module',
  '.cjs': 'commonjs',
  '.cts': 'commonjs',
  '.json': 'json',
  '.wasm': 'wasm',
  '.node': 'addon',
};

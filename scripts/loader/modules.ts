/**
 * Lets Node load modules from the pack, by its own hooks for `import` and `require` alike. What a packed module asks for by a
 * bare name is in the pack or nowhere: no folder of the machine that it runs on is searched.
 */
import { isBuiltin, type LoadHookSync, type ResolveHookSync, registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Files } from './files.ts';
import { Resolver } from './resolve.ts';

/** `onBuiltin` is told which of Node's own modules is about to be loaded. */
export function loadModulesFrom(files: Files, onBuiltin: (name: string) => void): void {
  const resolver = new Resolver(files);
  const urlPrefix = pathToFileURL(`${files.index.root}/`).href;

  const resolve: ResolveHookSync = (specifier, context, nextResolve) => {
    if (isBuiltin(specifier)) {
      const name = specifier.startsWith('node:') ? specifier.slice(5) : specifier;
      onBuiltin(name);
      return { url: `node:${name}`, format: 'builtin', shortCircuit: true };
    }
    const { parentURL, conditions } = context;
    const isFromPack = parentURL?.startsWith(urlPrefix) === true;
    const [bare = specifier, query = ''] =
      parentURL !== undefined ? (/^([^?]*)(\?.*)?$/.exec(specifier)?.slice(1) ?? []) : [];
    const path = bare.startsWith('file:') ? files.inside(fileURLToPath(bare)) : bare;
    const isAbsolute = path === undefined || path.startsWith('/') || /^[a-z-]+:/.test(path);
    if (path === undefined || (isAbsolute ? files.inside(path) === undefined : !isFromPack)) {
      return nextResolve(specifier, context);
    }
    const parent = isFromPack ? fileURLToPath(parentURL) : `${files.index.root}/package.json`;
    const found = resolver.resolve(path, parent, conditions as readonly string[]);
    if (found === undefined) throw notFound(specifier, parent, conditions as readonly string[]);
    return { url: pathToFileURL(found).href + query, format: resolver.formatOf(found), shortCircuit: true };
  };

  const load: LoadHookSync = (url, context, nextLoad) => {
    if (!url.startsWith(urlPrefix)) return nextLoad(url, context);
    const path = fileURLToPath(url);
    const file = files.file(path);
    if (file === undefined) return nextLoad(url, context);
    const format = context.format ?? resolver.formatOf(path);
    // An addon is opened by process.dlopen, which knows the pack.
    if (format === 'addon') return { format, source: null, shortCircuit: true } as unknown as ReturnType<LoadHookSync>;
    const source = format === 'wasm' ? Buffer.from(files.bytes(file)) : files.text(file);
    return { format, source, shortCircuit: true } as ReturnType<LoadHookSync>;
  };

  registerHooks({ resolve, load });
}

/** As Node words it, for programs that look at the code or the text. */
function notFound(specifier: string, parent: string, conditions: readonly string[]): Error {
  if (!conditions.includes('import')) {
    const error = new Error(`Cannot find module '${specifier}'\nRequire stack:\n- ${parent}`);
    return Object.assign(error, { code: 'MODULE_NOT_FOUND', requireStack: [parent] });
  }
  const what = /^[./]/.test(specifier) ? 'module' : 'package';
  return Object.assign(new Error(`Cannot find ${what} '${specifier}' imported from ${parent}`), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
}

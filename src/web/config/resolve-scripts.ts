/** From a backend with `app_type = "php"` to which files are programs. */
import type { ScriptsConfig } from './backend-config.ts';
import type { Resolver } from './context.ts';
import type { KeyPath } from './fault.ts';
import type { WrittenConfig } from './schema.ts';
import type { WrittenBackend } from './schema-backends.ts';
import { readSize, readSpan } from './schema-values.ts';

export function resolveScripts(
  written: WrittenBackend,
  path: KeyPath,
  cache: WrittenConfig['cache'],
  resolver: Resolver,
): ScriptsConfig | null {
  const { faults } = resolver;
  if (written.app_type !== 'php') {
    for (const key of ['root', 'script_root'] as const) {
      if (written[key] !== undefined) faults.add([...path, key], 'must come with app_type = "php"');
    }
    return null;
  }
  if (written.root === undefined) {
    faults.add(path, 'must have root, the folder of the PHP files, with app_type = "php"');
    return null;
  }
  const { script_root: scriptRoot, front_controller: frontController } = written;
  if (scriptRoot !== undefined && !scriptRoot.startsWith('/')) {
    faults.mustBe([...path, 'script_root'], 'an absolute path', scriptRoot);
  }
  if (frontController !== '' && !/^[^/.][^/]*\.php$/.test(frontController)) {
    faults.mustBe(
      [...path, 'front_controller'],
      'the name of a file in root that ends with .php, or ""',
      frontController,
    );
  }
  for (const [index, one] of written.no_scripts.entries()) {
    if (!one.startsWith('/')) faults.mustBe([...path, 'no_scripts', index], 'a path that starts with "/"', one);
  }
  const root = resolver.folder([...path, 'root'], written.root);
  return {
    files: {
      kind: 'files',
      root,
      index: 'index.html',
      fallback: null,
      listing: false,
      dotfiles: false,
      symlinks: written.symlinks,
      precompressed: true,
      cacheControl: [],
      cacheSize: cache.enabled ? readSize(cache.max_size) : 0,
      cacheTtlMs: readSpan(cache.ttl),
    },
    documentRoot: (scriptRoot ?? root).replace(/\/+$/, ''),
    frontController,
    noScripts: written.no_scripts,
  };
}

/**
 * A program may ask Node to keep its compiled code on disk (`module.enableCompileCache()`, as TypeScript's compiler does). Where, is its
 * own decision or Node's default: NODE_COMPILE_CACHE, which could name a folder with somebody else's code, is closed.
 */
import Module from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

type Options = string | { readonly directory?: string; readonly portable?: boolean };
type Enable = (options?: Options) => unknown;

export function closeCompileCache(): void {
  const module = Module as unknown as { enableCompileCache: Enable };
  const { enableCompileCache } = module;
  module.enableCompileCache = (options = {}) => {
    const given = typeof options === 'string' ? { directory: options } : options;
    return enableCompileCache({ directory: path.join(tmpdir(), 'node-compile-cache'), ...given });
  };
  Module.syncBuiltinESMExports();
}

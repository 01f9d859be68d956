/** Serves single files chosen by a handler: `file(call, path)`. */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { FILE_CACHE_DEFAULTS, FileCache } from './file-cache.ts';
import { emptyPlan, type FieldList, type FilePlan } from './file-plan.ts';
import { contentTypeOf } from './mime.ts';
import { resolvePlainPath } from './path.ts';
import type { FileStyle } from './plan-set.ts';
import { type FileRequest, planFile } from './serve-file.ts';

export interface SingleFileOptions {
  /** Resolves the path inside this directory: neither dots nor links lead out, and hidden files are not served. */
  readonly root?: string;
  /** The Content-Type. Default: by extension. */
  readonly type?: string;
  readonly fields?: FieldList;
  /** Uses `.br`, `.zst` and `.gz` files beside the file. Default: true. */
  readonly precompressed?: boolean;
}

/** Bounds the memory for apps that generate roots. */
const MAX_ROOTS = 16;
const MAX_STYLES = 256;
const NO_FIELDS: FieldList = [];

/** Owns a cache for each root. Create one for each worker. */
export class SingleFiles {
  readonly #anywhere = new FileCache(null, FILE_CACHE_DEFAULTS);
  readonly #roots = new Map<string, { readonly real: string; readonly cache: FileCache }>();
  readonly #styles = new Map<string, FileStyle>();

  /** 404 if there is no such file, 503 if descriptors have run out. Throws if `root` does not exist. */
  plan(request: FileRequest, filePath: string, options: SingleFileOptions = {}, now: number = Date.now()): FilePlan {
    const { root } = options;
    const place =
      root === undefined ? { cache: this.#anywhere, path: path.resolve(filePath) } : this.#below(root, filePath);
    const found = place === null ? 'missing' : place.cache.get(place.path, now);
    if (typeof found === 'string') return found === 'busy' ? emptyPlan(503, [['Retry-After', '1']]) : emptyPlan(404);
    const style = this.#styleOf(options.type ?? contentTypeOf(found.path), options.fields ?? NO_FIELDS);
    return planFile(request, found, style, now, options.precompressed !== false);
  }

  close(): void {
    this.#anywhere.close();
    for (const { cache } of this.#roots.values()) cache.close();
    this.#roots.clear();
  }

  #below(root: string, filePath: string): { cache: FileCache; path: string } | null {
    const segments = resolvePlainPath(filePath, false);
    if (segments === null) return null;
    let place = this.#roots.get(root);
    if (place === undefined) {
      if (this.#roots.size === MAX_ROOTS) this.#forgetOldest();
      const real = realpathSync(root);
      place = { real, cache: new FileCache(real, FILE_CACHE_DEFAULTS) };
      this.#roots.set(root, place);
    }
    return { cache: place.cache, path: path.join(place.real, ...segments) };
  }

  #forgetOldest(): void {
    const [root, { cache }] = this.#roots.entries().next().value as [string, { cache: FileCache }];
    cache.close();
    this.#roots.delete(root);
  }

  /** Shares one object for each type, so that prepared answers are reused. Not possible with custom fields. */
  #styleOf(type: string, fields: FieldList): FileStyle {
    if (fields.length > 0) return { type, fields };
    let style = this.#styles.get(type);
    if (style === undefined) {
      if (this.#styles.size === MAX_STYLES) this.#styles.clear();
      style = { type, fields };
      this.#styles.set(type, style);
    }
    return style;
  }
}

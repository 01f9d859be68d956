/** A directory that is served: from the path of a URL to a file, an index, a listing, a redirect, the fallback, or nothing. */
import { Buffer } from 'node:buffer';
import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { type CachedFile, FILE_CACHE_DEFAULTS, FileCache, type FileCacheLimits } from './file-cache.ts';
import { emptyPlan, FilePlan } from './file-plan.ts';
import { LISTING_FIELDS, renderListing } from './listing.ts';
import { contentTypeOf } from './mime.ts';
import { encodePath, type ResolvedPath, resolvePath, resolvePlainPath } from './path.ts';
import type { FileStyle } from './plan-set.ts';
import { type FileRequest, METHOD_NOT_ALLOWED, planFile } from './serve-file.ts';

export interface DirectoryOptions {
  /** The file that stands for its directory; '': none. Default: index.html. */
  readonly index?: string;
  /** For a single-page application: what is answered, with 200, where there is no such file. A path from the root. */
  readonly fallback?: string;
  /** Paths from the root whose content never changes, such as /^\/assets\//: they may be kept for a year (RFC 8246). */
  readonly immutable?: RegExp;
  /** Whether a directory without an index is listed. Default: false. */
  readonly listing?: boolean;
  /** Whether names that start with a dot are served; `.well-known` always is. Default: false. */
  readonly dotfiles?: boolean;
  /** Whether links may lead out of the root. Default: false. */
  readonly allowSymlinks?: boolean;
  /** Whether `.br`, `.zst` and `.gz` beside a file are used. Default: true. */
  readonly precompressed?: boolean;
  /** Fields of every answer with a file. */
  readonly fields?: readonly (readonly [name: string, value: string])[];
  /** Files up to this many bytes are kept in memory. Default: 1 MiB. */
  readonly keepBelow?: number;
  readonly limits?: Partial<FileCacheLimits>;
}

export interface DirectoryRequest extends FileRequest {
  /** As it came, percent-encoded, without the query: `/a/b%20c`. */
  readonly path: string;
  /** Without "?". */
  readonly query?: string;
}

const IMMUTABLE = ['Cache-Control', 'public, max-age=31536000, immutable'] as const;
/** A page names the versions of all that it needs; kept too long, it names what is gone. */
const REVALIDATE = ['Cache-Control', 'no-cache'] as const;
/** Paths that lead to a file straight away. */
const MAX_PATHS = 4096;

export class Directory {
  readonly #root: string;
  readonly #options: DirectoryOptions;
  readonly #immutable: RegExp | null;
  readonly #fallback: string | null;
  /** Owned: closed in `close`. */
  readonly #cache: FileCache;
  /** Of paths as they come, so that they are decoded and judged once. */
  readonly #byPath = new Map<string, CachedFile>();

  /** Throws where `root` is no directory, or the fallback no path in it. */
  constructor(root: string, options: DirectoryOptions = {}) {
    this.#root = realpathSync(root);
    if (!statSync(this.#root).isDirectory())
      throw new RangeError(`root must be a directory, got ${JSON.stringify(root)}`);
    this.#options = options;
    const { immutable, fallback, keepBelow } = options;
    // A global expression would remember where it found something.
    this.#immutable =
      immutable === undefined ? null : new RegExp(immutable.source, immutable.flags.replace(/[gy]/g, ''));
    this.#fallback = fallback === undefined ? null : this.#pathOfFallback(fallback);
    const limits = { ...FILE_CACHE_DEFAULTS, ...options.limits };
    const cacheRoot = options.allowSymlinks === true ? null : this.#root;
    this.#cache = new FileCache(cacheRoot, keepBelow === undefined ? limits : { ...limits, keepBelow });
  }

  /** Null: there is nothing here, so that whatever else serves this path may be asked. `prefix` is where the root is in the URL. */
  plan(request: DirectoryRequest, now: number = Date.now(), prefix = ''): FilePlan | null {
    const known = this.#byPath.get(request.path);
    if (known !== undefined) {
      if (this.#cache.isFresh(known, now)) return this.#planFile(request, known, now);
      this.#byPath.delete(request.path);
    }
    const resolved = resolvePath(request.path, this.#options.dotfiles === true);
    // Nothing that looks like a way out gets an answer, not even the fallback.
    if (resolved === null) return null;
    return this.#find(request, resolved, now, prefix) ?? this.#planFallback(request, now);
  }

  close(): void {
    this.#byPath.clear();
    this.#cache.close();
  }

  #find(request: DirectoryRequest, resolved: ResolvedPath, now: number, prefix: string): FilePlan | null {
    const { segments, isDirectory } = resolved;
    const full = this.#join(segments);
    if (isDirectory) return this.#planDirectory(request, full, segments, now);
    const found = this.#cache.get(full, now);
    if (found === 'directory') return this.#redirect(request, full, segments, now, prefix);
    return this.#planFound(request, found, now);
  }

  #planDirectory(request: DirectoryRequest, full: string, segments: readonly string[], now: number): FilePlan | null {
    const { index = 'index.html' } = this.#options;
    const found = index === '' ? 'missing' : this.#cache.get(path.join(full, index), now);
    if (found === 'missing' || found === 'directory') return this.#planListing(request, full, segments, now);
    return this.#planFound(request, found, now);
  }

  #planFound(request: DirectoryRequest, found: CachedFile | string, now: number): FilePlan | null {
    if (typeof found === 'string') return found === 'busy' ? emptyPlan(503, [['Retry-After', '1']]) : null;
    if (this.#byPath.size === MAX_PATHS) this.#byPath.clear();
    // A copy: the path is a part of the head of a request, and would hold all of it.
    this.#byPath.set(Buffer.from(request.path, 'latin1').toString('latin1'), found);
    return this.#planFile(request, found, now);
  }

  #planFile(request: FileRequest, file: CachedFile, now: number): FilePlan {
    file.style ??= this.#styleOf(file);
    return planFile(request, file, file.style as FileStyle, now, this.#options.precompressed !== false);
  }

  #planListing(request: FileRequest, full: string, segments: readonly string[], now: number): FilePlan | null {
    if (this.#options.listing !== true || this.#cache.get(full, now) !== 'directory') return null;
    if (request.method !== 'GET' && request.method !== 'HEAD') return METHOD_NOT_ALLOWED;
    const root = this.#options.allowSymlinks === true ? null : this.#root;
    const html = renderListing(full, segments, { root, showsDotfiles: this.#options.dotfiles === true });
    if (html === null) return null;
    const content = Buffer.from(html, 'utf8');
    return new FilePlan(200, LISTING_FIELDS, content.length, request.method === 'HEAD' ? null : content);
  }

  /** To the path with a slash, so that relative addresses in the index are right; only where there is something. */
  #redirect(
    request: DirectoryRequest,
    full: string,
    segments: readonly string[],
    now: number,
    prefix: string,
  ): FilePlan | null {
    const { index = 'index.html', listing } = this.#options;
    const hasIndex = index !== '' && typeof this.#cache.get(path.join(full, index), now) !== 'string';
    if (!hasIndex && listing !== true) return null;
    if (request.method !== 'GET' && request.method !== 'HEAD') return METHOD_NOT_ALLOWED;
    const query = request.query ? `?${request.query}` : '';
    return emptyPlan(301, [['Location', `${prefix}${encodePath(segments)}/${query}`]]);
  }

  /** For what a person went to: pages, and names without an extension. A script that is missing is missing. */
  #planFallback(request: DirectoryRequest, now: number): FilePlan | null {
    if (this.#fallback === null || (request.method !== 'GET' && request.method !== 'HEAD')) return null;
    const name = request.path.slice(request.path.lastIndexOf('/') + 1);
    if (name.includes('.') && !(request.header('accept') ?? '').toLowerCase().includes('text/html')) return null;
    const found = this.#cache.get(this.#fallback, now);
    return typeof found === 'string' ? null : this.#planFile(request, found, now);
  }

  #styleOf(file: CachedFile): FileStyle {
    const type = contentTypeOf(file.path);
    const fields = [...(this.#options.fields ?? [])];
    if (!fields.some(([name]) => name.toLowerCase() === 'cache-control')) {
      const urlPath = file.path.slice(this.#root === '/' ? 0 : this.#root.length);
      if (this.#immutable?.test(urlPath)) fields.push(IMMUTABLE);
      else if (type.startsWith('text/html')) fields.push(REVALIDATE);
    }
    return { type, fields };
  }

  #pathOfFallback(fallback: string): string {
    const segments = resolvePlainPath(fallback, true);
    if (segments === null) throw new RangeError(`fallback must be a path in the root, got ${JSON.stringify(fallback)}`);
    return this.#join(segments);
  }

  #join(segments: readonly string[]): string {
    return path.join(this.#root, ...segments);
  }
}

/** Serves a directory: maps the path of a URL to a file, an index, a listing, a redirect, the fallback, or nothing. */
import { Buffer } from 'node:buffer';
import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { DirectoryOptions } from './directory-options.ts';
import { type CachedFile, FILE_CACHE_DEFAULTS, FileCache } from './file-cache.ts';
import { emptyPlan, FilePlan } from './file-plan.ts';
import { LISTING_FIELDS, renderListing } from './listing.ts';
import { contentTypeOf } from './mime.ts';
import { encodePath, type ResolvedPath, resolvePath, resolvePlainPath } from './path.ts';
import type { FileStyle } from './plan-set.ts';
import { type FileRequest, METHOD_NOT_ALLOWED, planFile } from './serve-file.ts';

export interface DirectoryRequest extends FileRequest {
  /** Percent-encoded as it came, without the query: `/a/b%20c`. */
  readonly path: string;
  /** Without "?". */
  readonly query?: string;
}

const IMMUTABLE = ['Cache-Control', 'public, max-age=31536000, immutable'] as const;
/** A stale page refers to assets that are gone, so pages are always revalidated. */
const REVALIDATE = ['Cache-Control', 'no-cache'] as const;
/** Bound the memory for resolved paths: longer ones are resolved each time. */
const MAX_PATHS = 4096;
const MAX_PATH_LENGTH = 512;

export class Directory {
  readonly #root: string;
  readonly #options: DirectoryOptions;
  readonly #immutable: RegExp | null;
  readonly #fallback: string | null;
  /** Owned: closed in `close`. */
  readonly #cache: FileCache;
  /** Resolved paths, as they came on the wire, so that each is decoded and checked once. */
  readonly #byPath = new Map<string, CachedFile>();

  /** Throws if `root` is not a directory or the fallback is not inside it. */
  constructor(root: string, options: DirectoryOptions = {}) {
    this.#root = realpathSync(root);
    if (!statSync(this.#root).isDirectory())
      throw new RangeError(`root must be a directory, got ${JSON.stringify(root)}`);
    this.#options = options;
    const { immutable, fallback, keepBelow } = options;
    // Global and sticky expressions keep state between tests.
    this.#immutable =
      immutable === undefined ? null : new RegExp(immutable.source, immutable.flags.replace(/[gy]/g, ''));
    this.#fallback = fallback === undefined ? null : this.#pathOfFallback(fallback);
    const limits = { ...FILE_CACHE_DEFAULTS, ...options.limits };
    const cacheRoot = options.allowSymlinks === true ? null : this.#root;
    this.#cache = new FileCache(cacheRoot, keepBelow === undefined ? limits : { ...limits, keepBelow });
  }

  /** Null: there is nothing here, so another handler may answer. `prefix` is the path in the URL under which the root is served. */
  plan(request: DirectoryRequest, now: number = Date.now(), prefix = ''): FilePlan | null {
    const known = this.#byPath.get(request.path);
    if (known !== undefined) {
      if (this.#cache.isFresh(known, now)) return this.#planFile(request, known, now);
      this.#byPath.delete(request.path);
    }
    const resolved = resolvePath(request.path, this.#options.dotfiles === true);
    // A path that tries to leave the root does not even get the fallback.
    if (resolved === null) return null;
    return this.#find(request, resolved, now, prefix) ?? this.#planFallback(request, now);
  }

  /** Lets go of files that nobody has requested since the last call. */
  dropUnused(): void {
    this.#byPath.clear();
    this.#cache.dropUnused();
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
    if (request.path.length <= MAX_PATH_LENGTH) this.#remember(request.path, found);
    return this.#planFile(request, found, now);
  }

  #remember(urlPath: string, file: CachedFile): void {
    if (this.#byPath.size === MAX_PATHS) this.#byPath.clear();
    // Copied: the path is a slice of a request's head and would keep all of it in memory.
    this.#byPath.set(Buffer.from(urlPath, 'latin1').toString('latin1'), file);
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

  /** Adds the trailing slash, so that relative links in the index work. */
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

  /** For navigation only: HTML requests and names without an extension. A missing script stays missing. */
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
      const cacheControl = this.#options.cacheControl?.(urlPath) ?? null;
      if (cacheControl !== null) fields.push(['Cache-Control', cacheControl]);
      else if (this.#immutable?.test(urlPath)) fields.push(IMMUTABLE);
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

/**
 * Keeps the stats and the bytes or descriptors of files, and checks them again each second. Bounded in files, bytes and
 * descriptors; evicts what was not requested lately.
 */
import type { ContentCoding } from '../content/negotiation.ts';
import type { FileCacheLimits } from './directory-options.ts';
import { type NoFile, openRepresentation, statOf } from './open-representation.ts';
import type { Representation } from './representation.ts';

export const FILE_CACHE_DEFAULTS: FileCacheLimits = {
  keepBelow: 1024 * 1024,
  maxBytes: 32 * 1024 * 1024,
  maxFiles: 1024,
  maxOpen: 64,
};

/** Changes are noticed after this long at the latest. */
const LOOK_AGAIN_MS = 1000;

/** Suffixes of precompressed files, best first. */
const SUFFIXES: readonly (readonly [coding: ContentCoding, suffix: string])[] = [
  ['br', '.br'],
  ['zstd', '.zst'],
  ['gzip', '.gz'],
];

export class CachedFile {
  readonly path: string;
  /** Time of the last check, in milliseconds since 1970. */
  lookedAt = 0;
  /** Requested again since the last eviction scan. */
  isUsed = false;
  isEvicted = false;
  /** Set by the user of the cache: how answers with this file look. */
  style: unknown = null;
  #identity: Representation;
  #codings: readonly ContentCoding[] = [];
  #encoded: readonly Representation[] = [];

  constructor(path: string, identity: Representation) {
    this.path = path;
    this.#identity = identity;
  }

  /** The file without a coding. */
  get identity(): Representation {
    return this.#identity;
  }

  /** The codings of its precompressed variants. */
  get codings(): readonly ContentCoding[] {
    return this.#codings;
  }

  encoded(coding: ContentCoding): Representation {
    return this.#encoded[this.#codings.indexOf(coding)] as Representation;
  }

  all(): readonly Representation[] {
    return [this.#identity, ...this.#encoded];
  }

  /** Closes representations that are replaced. */
  replace(identity: Representation, encoded: readonly Representation[]): void {
    const old = this.all();
    this.#identity = identity;
    this.#encoded = encoded;
    this.#codings = encoded.map(({ coding }) => coding as ContentCoding);
    const kept = this.all();
    for (const one of old) if (!kept.includes(one)) one.close();
  }
}

/** Owns the descriptors it keeps: `close` closes them, except those still being sent. */
export class FileCache {
  readonly #root: string | null;
  readonly #limits: FileCacheLimits;
  readonly #files = new Map<string, CachedFile>();
  #bytes = 0;
  #open = 0;

  /** `root` must be a real path; files outside are refused, symbolic links or not. Null: no restriction. */
  constructor(root: string | null, limits: FileCacheLimits = FILE_CACHE_DEFAULTS) {
    this.#root = root;
    this.#limits = limits;
  }

  /** `path` must be absolute. `now` is in milliseconds since 1970. */
  get(path: string, now: number): CachedFile | NoFile {
    const known = this.#files.get(path);
    if (known !== undefined) {
      if (this.isFresh(known, now)) return known;
      this.#drop(known);
    }
    const identity = this.#openOne(path, 'identity');
    if (typeof identity === 'string') return identity;
    const file = new CachedFile(path, identity);
    file.replace(identity, this.#openEncoded(file));
    file.lookedAt = now;
    this.#files.set(path, file);
    this.#count(file, 1);
    this.#evict(file);
    return file;
  }

  /** Whether a file returned before may still be used. If not, call `get` again. */
  isFresh(file: CachedFile, now: number): boolean {
    if (file.isEvicted) return false;
    file.isUsed = true;
    // If the clock was set back, check right away.
    const passed = now - file.lookedAt;
    if (passed >= 0 && passed < LOOK_AGAIN_MS) return true;
    return this.#lookAgain(file, now);
  }

  /** Drops what nobody has requested since the last call. */
  dropUnused(): void {
    for (const file of this.#files.values()) {
      if (file.isUsed) file.isUsed = false;
      else this.#drop(file);
    }
  }

  close(): void {
    for (const file of this.#files.values()) this.#drop(file);
  }

  /** For tests and metrics. */
  get held(): { readonly files: number; readonly bytes: number; readonly open: number } {
    return { files: this.#files.size, bytes: this.#bytes, open: this.#open };
  }

  #lookAgain(file: CachedFile, now: number): boolean {
    const stats = statOf(file.path);
    if (stats === null || !file.identity.isOf(stats)) return false;
    const encoded = this.#openEncoded(file);
    // Opening a variant ran out of descriptors, and this file was dropped to get some back.
    if (file.isEvicted) {
      for (const one of encoded) if (!file.all().includes(one)) one.close();
      return false;
    }
    if (encoded.length !== file.codings.length || encoded.some((one) => !file.all().includes(one))) {
      this.#count(file, -1);
      file.replace(file.identity, encoded);
      this.#count(file, 1);
      this.#evict(file);
    }
    file.lookedAt = now;
    return true;
  }

  /** Opens precompressed variants; reuses those that are unchanged. */
  #openEncoded(file: CachedFile): Representation[] {
    const encoded: Representation[] = [];
    for (const [coding, suffix] of SUFFIXES) {
      const path = file.path + suffix;
      const stats = statOf(path);
      if (stats === null || !stats.isFile()) continue;
      const known = file.codings.includes(coding) ? file.encoded(coding) : null;
      const one = known?.isOf(stats) ? known : this.#openOne(path, coding);
      if (typeof one !== 'string') encoded.push(one);
    }
    return encoded;
  }

  /** When out of descriptors, drops all cached ones and tries once more. */
  #openOne(path: string, coding: ContentCoding | 'identity'): Representation | NoFile {
    const one = openRepresentation(path, this.#root, coding, this.#limits.keepBelow);
    if (one !== 'busy' || this.#open === 0) return one;
    for (const file of this.#files.values()) if (file.all().some((held) => held.file !== null)) this.#drop(file);
    return openRepresentation(path, this.#root, coding, this.#limits.keepBelow);
  }

  #evict(keep: CachedFile): void {
    const { maxBytes, maxFiles, maxOpen } = this.#limits;
    // Terminates: each round drops a file or clears a mark.
    while (this.#bytes > maxBytes || this.#files.size > maxFiles || this.#open > maxOpen) {
      const oldest = this.#files.values().next().value as CachedFile;
      if (oldest === keep && this.#files.size === 1) return;
      if (oldest !== keep && !oldest.isUsed) {
        this.#drop(oldest);
        continue;
      }
      // Second chance (CLOCK): a hit only sets a mark, which is cheaper than moving an entry in the map.
      if (oldest !== keep) oldest.isUsed = false;
      this.#files.delete(oldest.path);
      this.#files.set(oldest.path, oldest);
    }
  }

  #drop(file: CachedFile): void {
    this.#files.delete(file.path);
    this.#count(file, -1);
    file.isEvicted = true;
    for (const one of file.all()) one.close();
  }

  #count(file: CachedFile, sign: 1 | -1): void {
    for (const one of file.all()) {
      if (one.body === null) this.#open += sign;
      else this.#bytes += sign * one.size;
    }
  }
}

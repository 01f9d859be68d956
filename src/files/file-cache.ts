/**
 * Files that are asked for again: their stats, bytes or descriptors, looked at again each second. What it holds is bounded in
 * number and in bytes; what was not asked for lately goes first.
 */
import type { ContentCoding } from '../content/negotiation.ts';
import { type NoFile, openRepresentation, statOf } from './open-representation.ts';
import type { Representation } from './representation.ts';

export interface FileCacheLimits {
  /** Files up to this many bytes are kept in memory; larger ones are kept open. */
  readonly keepBelow: number;
  /** Of everything in memory. */
  readonly maxBytes: number;
  /** Files, each with its precompressed ones. */
  readonly maxFiles: number;
  /** Files that are kept open. */
  readonly maxOpen: number;
}

export const FILE_CACHE_DEFAULTS: FileCacheLimits = {
  keepBelow: 1024 * 1024,
  maxBytes: 32 * 1024 * 1024,
  maxFiles: 1024,
  maxOpen: 64,
};

/** A file that changes is seen after this long at the latest. */
const LOOK_AGAIN_MS = 1000;

/** Precompressed files beside a file, in the order in which we like them. */
const SUFFIXES: readonly (readonly [coding: ContentCoding, suffix: string])[] = [
  ['br', '.br'],
  ['zstd', '.zst'],
  ['gzip', '.gz'],
];

export class CachedFile {
  readonly path: string;
  /** Milliseconds since 1970. */
  lookedAt = 0;
  /** Asked for again since the last search for what could go. */
  isUsed = false;
  isEvicted = false;
  /** For who found it: the answers' style of this file. */
  style: unknown = null;
  #identity: Representation;
  #codings: readonly ContentCoding[] = [];
  #encoded: readonly Representation[] = [];

  constructor(path: string, identity: Representation) {
    this.path = path;
    this.#identity = identity;
  }

  /** The file itself. */
  get identity(): Representation {
    return this.#identity;
  }

  /** What it is precompressed with. */
  get codings(): readonly ContentCoding[] {
    return this.#codings;
  }

  encoded(coding: ContentCoding): Representation {
    return this.#encoded[this.#codings.indexOf(coding)] as Representation;
  }

  all(): readonly Representation[] {
    return [this.#identity, ...this.#encoded];
  }

  /** Closes what is not in use any more. */
  replace(identity: Representation, encoded: readonly Representation[]): void {
    const old = this.all();
    this.#identity = identity;
    this.#encoded = encoded;
    this.#codings = encoded.map(({ coding }) => coding as ContentCoding);
    const kept = this.all();
    for (const one of old) if (!kept.includes(one)) one.close();
  }
}

/** Owns what it keeps: all is closed in `close`, and what is being sent when its source is. */
export class FileCache {
  readonly #root: string | null;
  readonly #limits: FileCacheLimits;
  readonly #files = new Map<string, CachedFile>();
  #bytes = 0;
  #open = 0;

  /** `root` is a real path: nothing out of it is opened, whatever links say. Null: anything is. */
  constructor(root: string | null, limits: FileCacheLimits = FILE_CACHE_DEFAULTS) {
    this.#root = root;
    this.#limits = limits;
  }

  /** `path` is absolute. `now` is in milliseconds since 1970. */
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

  /** Whether a file that was found before is still what it was, or has been opened anew; if not, it must be asked for again. */
  isFresh(file: CachedFile, now: number): boolean {
    if (file.isEvicted) return false;
    file.isUsed = true;
    // A clock that was set back counts as time that has passed.
    const passed = now - file.lookedAt;
    if (passed >= 0 && passed < LOOK_AGAIN_MS) return true;
    return this.#lookAgain(file, now);
  }

  close(): void {
    for (const file of this.#files.values()) this.#drop(file);
  }

  /** What is held, for tests and metrics. */
  get held(): { readonly files: number; readonly bytes: number; readonly open: number } {
    return { files: this.#files.size, bytes: this.#bytes, open: this.#open };
  }

  #lookAgain(file: CachedFile, now: number): boolean {
    const stats = statOf(file.path);
    if (stats === null || !file.identity.isOf(stats)) return false;
    const encoded = this.#openEncoded(file);
    // Descriptors ran out meanwhile, and it was among what was given up.
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

  /** The precompressed files, those that are unchanged as they are. */
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

  /** Out of descriptors: those that are kept are given up, and it is tried once more. */
  #openOne(path: string, coding: ContentCoding | 'identity'): Representation | NoFile {
    const one = openRepresentation(path, this.#root, coding, this.#limits.keepBelow);
    if (one !== 'busy' || this.#open === 0) return one;
    for (const file of this.#files.values()) if (file.all().some((held) => held.file !== null)) this.#drop(file);
    return openRepresentation(path, this.#root, coding, this.#limits.keepBelow);
  }

  #evict(keep: CachedFile): void {
    const { maxBytes, maxFiles, maxOpen } = this.#limits;
    // Each round either drops one or takes away a mark, so it ends.
    while (this.#bytes > maxBytes || this.#files.size > maxFiles || this.#open > maxOpen) {
      const oldest = this.#files.values().next().value as CachedFile;
      if (oldest === keep && this.#files.size === 1) return;
      if (oldest !== keep && !oldest.isUsed) {
        this.#drop(oldest);
        continue;
      }
      // Asked for since: it goes to the end of the line (CLOCK), which costs nothing while files are only asked for.
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

/** What can be chosen about a directory that is served. */

export interface DirectoryOptions {
  /** The file served for a directory; '' for none. Default: index.html. */
  readonly index?: string;
  /** For single-page applications: the file, relative to the root, that is served with 200 if no other matches. Default: none. */
  readonly fallback?: string;
  /** Matches paths whose content never changes, such as /^\/assets\//: clients may cache them for a year (RFC 8246). Default: none. */
  readonly immutable?: RegExp;
  /** Cache-Control by the path of a file in the root; null: as without this. */
  readonly cacheControl?: (path: string) => string | null;
  /** Lists directories that have no index. Default: false. */
  readonly listing?: boolean;
  /** Serves names that start with a dot (`.well-known` is always served). Default: false. */
  readonly dotfiles?: boolean;
  /** Follows symbolic links out of the root. Default: false. */
  readonly allowSymlinks?: boolean;
  /** Uses `.br`, `.zst` and `.gz` files beside a file. Default: true. */
  readonly precompressed?: boolean;
  /** Added to every answer with a file. */
  readonly fields?: readonly (readonly [name: string, value: string])[];
  /** Keeps files up to this many bytes in memory. Default: 1 MiB. */
  readonly keepBelow?: number;
  /** Of what is kept of files; those that differ from their defaults. */
  readonly limits?: Partial<FileCacheLimits>;
}

/** Of one worker. */
export interface FileCacheLimits {
  /** Files up to this many bytes are kept in memory, larger ones open. Default: 1 MiB. */
  readonly keepBelow: number;
  /** Bytes in memory, all files together. Default: 32 MiB. */
  readonly maxBytes: number;
  /** A file and its precompressed variants count as one. Default: 1024. */
  readonly maxFiles: number;
  /** Open descriptors. Default: 64. */
  readonly maxOpen: number;
}

/** Errors of the operating system, for packed paths. */

/** Throws what `node:fs` would, `dest` being the second path of a call. */
export function fail(code: keyof typeof errors, call: string, path: string, dest?: string): never {
  const [errno, text] = errors[code];
  const paths = dest === undefined ? `'${path}'` : `'${path}' -> '${dest}'`;
  const error = new Error(`${code}: ${text}, ${call} ${paths}`);
  throw Object.assign(error, { errno, code, syscall: call, path, ...(dest !== undefined && { dest }) });
}

/** Number and text of errno(3), as libuv gives them. */
const errors = {
  ENOENT: [-2, 'no such file or directory'],
  ENOTDIR: [-20, 'not a directory'],
  EISDIR: [-21, 'illegal operation on a directory, read'],
  EINVAL: [-22, 'invalid argument'],
  EROFS: [-30, 'read-only file system'],
} as const;

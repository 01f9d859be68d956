/**
 * The format of `sha256sum -c`, as GNU and BusyBox read it: hash, two spaces (text mode), name. Pure functions.
 */

export interface Checksum {
  readonly name: string;
  readonly sha256: string;
}

export function checksumLines(files: readonly Checksum[]): string {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  return sorted.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
}

/** Ignores what is not such a line. */
export function parseChecksums(text: string): Checksum[] {
  return text.split('\n').flatMap((line) => {
    const [, sha256, name] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    return sha256 === undefined || name === undefined ? [] : [{ name, sha256 }];
  });
}

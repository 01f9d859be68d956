/** What an artifact must be, from the description and the target: not from what makes it. */
import type { Service } from '../program/about.ts';

export interface InspectFacts {
  readonly name: string;
  readonly version: string;
  /** Seconds since 1970, of the commit. */
  readonly time: number;
  /** SHA-256 of the executable that was verified. */
  readonly executable: string;
  /** Of Node. */
  readonly node: string;
  readonly target: string;
  /** As this kind of package calls it: amd64, x86_64, x64. */
  readonly architecture: string;
  readonly libc: 'glibc' | 'musl';
  /** The oldest one; null: static. */
  readonly glibc: string | null;
  readonly service: Service | undefined;
  /** A manual page and completions. */
  readonly hasManual: boolean;
  /** The folder in a tarball, and the texts in it. */
  readonly folder: string;
  readonly texts: readonly string[];
  readonly scope: string;
}

/** Below `/usr`, or the folder of an archive; `packed` is `.gz` where a manual page is compressed. */
export function manualPlaces(name: string, packed: string): string[] {
  return [
    `/share/man/man1/${name}.1${packed}`,
    `/share/bash-completion/completions/${name}`,
    `/share/zsh/site-functions/_${name}`,
    `/share/fish/vendor_completions.d/${name}.fish`,
  ];
}

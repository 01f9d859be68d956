/** `install.sh` of a release: the script of scripts/program/ with what a release decides filled in. Pure. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { archiveReadme } from '../program/archive-readme.ts';
import { toolchain } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import type { Target } from '../targets/targets.ts';

export interface InstallerFacts {
  readonly name: string;
  readonly version: string;
  /** The folder with the files of a release, `@` for the version; empty: the user must name it. */
  readonly url: string;
  /** Whether `--version` ends it at once. What an unknown program does when it is started is nobody's business but its user's. */
  readonly saysVersion: boolean;
  /** Public keys of minisign, the 56 characters of their second line. */
  readonly keys: readonly string[];
  /** Those whose archives the release has. */
  readonly targets: readonly Pick<Target, 'triple' | 'architecture' | 'libc' | 'interpreter' | 'oldest'>[];
}

export function installer({ name, version, url, saysVersion, keys, targets }: InstallerFacts): string {
  const rows = targets.map(({ triple, architecture, libc, interpreter, oldest }) =>
    [triple, architecture.name, libc, interpreter ?? '-', oldest.glibc ?? '-'].join(' '),
  );
  // Where both run, glibc is taken: it asks the machine's own name services.
  const isStatic = (row: string): boolean => row.includes(' musl ');
  const values = {
    name,
    version,
    url,
    says_version: saysVersion ? 'yes' : 'no',
    keys: keys.join('\n'),
    targets: [...rows.filter((row) => !isStatic(row)), ...rows.filter(isStatic)].join('\n'),
  };
  for (const [what, value] of Object.entries(values)) {
    if (value.includes("'")) throw new Failure(`the ${what} in install.sh must have no quote, got ${value}`);
  }
  return archiveReadme(readFileSync(path.join(toolchain, 'scripts/program/install.sh'), 'utf8'), values);
}

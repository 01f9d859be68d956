/**
 * What a release consists of, planned before anything is made: every artifact's kind, target and file name. A further
 * format is a further kind here and a maker in steps/artifacts.ts.
 */
import path from 'node:path';
import { program } from '../program/program.ts';
import { build } from '../support/checkout.ts';
import type { Target } from './targets.ts';

export type ArtifactKind = 'tar.gz';

export interface Artifact {
  readonly kind: ArtifactKind;
  /** The triple. */
  readonly target: string;
  /** Its name in `dist/`. */
  readonly file: string;
}

export interface MadeArtifact extends Artifact {
  readonly sha256: string;
  readonly bytes: number;
  /** Of the executable inside. */
  readonly executableBytes: number;
}

export function artifactsOf(target: Target): readonly Artifact[] {
  return [tarball(target)];
}

export function tarball(target: Target): Artifact {
  return { kind: 'tar.gz', target: target.triple, file: `${archiveFolder(target)}.tar.gz` };
}

/** The one folder at the top of a tarball. */
export function archiveFolder(target: Target): string {
  return `${program.name}-v${program.version}-${target.triple}`;
}

/** The files in that folder. */
export const archiveEntries: readonly string[] = [
  ...program.licenses.map((file) => path.basename(file)),
  'README.md',
  'THIRD-PARTY-LICENSES.txt',
  ...program.archive.map((file) => path.basename(file)),
  program.name,
];

/** Where it is made and tried; `dist/` gets it when it has passed. */
export function artifactPath({ file }: Artifact): string {
  return path.join(build, 'archive', file);
}

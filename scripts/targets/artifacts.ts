/**
 * What a release consists of, planned before anything is made: every artifact's kind, target and file name. A further
 * format is a further kind here and a maker in steps/artifacts.ts.
 */
import path from 'node:path';
import { type NpmTarget, npmName } from '../packaging/npm.ts';
import { program } from '../program/program.ts';
import { build } from '../support/checkout.ts';
import type { Target } from './targets.ts';

/** `sbom`: a bill of materials, CycloneDX. */
export type ArtifactKind = 'tar.gz' | 'deb' | 'rpm' | 'apk' | 'sbom' | 'npm';

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
}

/** Packages of distributions with glibc take the executable for glibc, Alpine's the static one. */
export function artifactsOf(target: Target): readonly Artifact[] {
  const { architecture, libc, triple } = target;
  const { name, version } = program;
  const of = (kind: ArtifactKind, file: string): Artifact => ({ kind, target: triple, file });
  const packages =
    libc === 'glibc'
      ? [
          of('deb', `${name}_${version}_${architecture.debian}.deb`),
          of('rpm', `${name}-${version.replace('-', '~')}-1.${architecture.rpm}.rpm`),
        ]
      : [of('apk', `${name}-${version}-r0.${architecture.alpine}.apk`)];
  return [
    tarball(target),
    of('sbom', `${archiveFolder(target)}.cdx.json`),
    ...(program.package === undefined ? [] : packages),
    ...(program.package === undefined || program.npm === undefined
      ? []
      : [of('npm', `${name}-npm-${npmName(npmTarget(target))}-${version}.tgz`)]),
  ];
}

export function npmTarget({ architecture, libc, oldest }: Target): NpmTarget {
  return { cpu: architecture.node.cpu, libc, oldest: oldest.glibc };
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
  ...(program.commandLine === undefined ? [] : ['share']),
  ...program.archive.map((file) => path.basename(file)),
  program.name,
];

/** Where it is made and tried; `dist/` gets it when it has passed. */
export function artifactPath({ file }: Pick<Artifact, 'file'>): string {
  return path.join(build, 'archive', file);
}

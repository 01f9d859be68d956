/** Makes what the plan names: one maker per kind of artifact. */
import { type Artifact, type ArtifactKind, artifactsOf, type MadeArtifact } from '../targets/artifacts.ts';
import { eachTarget } from '../targets/select.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { archive } from './archive.ts';
import { bill } from './bill.ts';
import { systemPackage } from './system-package.ts';

type Maker = (target: ReadyTarget, artifact: Artifact) => Promise<MadeArtifact>;

const makers: Readonly<Record<ArtifactKind, Maker>> = {
  'tar.gz': archive,
  sbom: bill,
  deb: systemPackage,
  rpm: systemPackage,
  apk: systemPackage,
  npm: systemPackage,
};

export function makeArtifacts(target: ReadyTarget): Promise<MadeArtifact[]> {
  return Promise.all(artifactsOf(target).map((artifact) => makers[artifact.kind](target, artifact)));
}

if (import.meta.main)
  await eachTarget('Makes every file of each target in build/archive/, and tries none.', makeArtifacts);

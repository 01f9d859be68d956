/** Makes what the plan names: one maker per kind of artifact. */
import { type Artifact, type ArtifactKind, artifactsOf, type MadeArtifact } from '../targets/artifacts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { archive } from './archive.ts';

const makers: Readonly<Record<ArtifactKind, (target: ReadyTarget) => Promise<MadeArtifact>>> = { 'tar.gz': archive };

export function makeArtifacts(target: ReadyTarget): Promise<MadeArtifact[]> {
  return Promise.all(artifactsOf(target).map(({ kind }: Artifact) => makers[kind](target)));
}

/** `inspect`: reads every file that was made of a target from disk, as a stranger would. Owns nothing but its stamp. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { artifactFaults } from '../packaging/inspect.ts';
import type { InspectFacts } from '../packaging/inspect-facts.ts';
import { program } from '../program/program.ts';
import { readOrigin } from '../sources/origin.ts';
import { Failure } from '../support/errors.ts';
import { sha256 } from '../support/hash.ts';
import { counted } from '../support/progress.ts';
import { runStep } from '../support/step.ts';
import { type ArtifactKind, archiveFolder, artifactPath, type MadeArtifact } from '../targets/artifacts.ts';
import { type ReadyTarget, readTargets, type Target } from '../targets/targets.ts';
import { verify } from './verify.ts';

export async function inspect(target: ReadyTarget, artifacts: readonly MadeArtifact[]): Promise<void> {
  const { sha256: executable } = await verify(target);
  const { time } = await readOrigin();
  const factsFor = (kind: ArtifactKind): InspectFacts => ({
    name: program.name,
    version: program.version,
    time,
    executable,
    node: readTargets().node,
    target: target.triple,
    architecture: architectureFor(kind, target),
    libc: target.libc,
    glibc: target.oldest.glibc,
    service: program.package?.service,
    hasManual: program.commandLine !== undefined,
    folder: archiveFolder(target),
    texts: [...program.licenses, ...program.archive, 'README.md', 'THIRD-PARTY-LICENSES.txt'].map((file) =>
      path.basename(file),
    ),
    scope: program.npm?.scope ?? '',
  });
  await runStep({
    step: 'inspect',
    target: target.triple,
    inputs: {
      artifacts: artifacts.map((artifact) => artifact.sha256).join(),
      facts: JSON.stringify(artifacts.map(({ kind }) => factsFor(kind))),
    },
    module: import.meta.filename,
    outputs: [],
    make: async () => {
      const faults = await Promise.all(
        artifacts.map(async ({ kind, file, sha256: wanted }) => {
          const bytes = await readFile(artifactPath({ file }));
          const got = sha256(bytes);
          if (got !== wanted) return [`${file} must have the SHA-256 ${wanted}, got ${got}`];
          return artifactFaults(kind, bytes, factsFor(kind)).map((fault) => `${file}: ${fault}`);
        }),
      );
      if (faults.flat().length > 0) throw new Failure(faults.flat().join('\n'));
      return { files: artifacts.length };
    },
    summary: ({ files }) => `${counted(files, 'file')} read back: nothing missing, nothing more`,
  });
}

function architectureFor(kind: ArtifactKind, { architecture }: Target): string {
  if (kind === 'deb') return architecture.debian;
  if (kind === 'rpm') return architecture.rpm;
  return kind === 'apk' ? architecture.alpine : architecture.node.cpu;
}

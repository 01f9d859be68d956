/** deb, rpm, apk and npm package of a target: scripts/packaging says what is in them, scripts/formats how it is written. */
import { writeFile } from 'node:fs/promises';
import { apk } from '../formats/apk.ts';
import { deb } from '../formats/deb.ts';
import { rpm } from '../formats/rpm.ts';
import { packageFiles } from '../packaging/contents.ts';
import { debControl } from '../packaging/debian.ts';
import { platformPackage } from '../packaging/npm.ts';
import type { PackageFacts } from '../packaging/package-facts.ts';
import { rpmFacts } from '../packaging/red-hat.ts';
import { program } from '../program/program.ts';
import { megabytes } from '../support/progress.ts';
import { runStep } from '../support/step.ts';
import { type Artifact, artifactPath, type MadeArtifact, npmTarget } from '../targets/artifacts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { executableOf, product } from './product-facts.ts';

export async function systemPackage(target: ReadyTarget, artifact: Artifact): Promise<MadeArtifact> {
  const made = await product(target);
  const file = artifactPath(artifact);
  const { facts, hashes } = await runStep({
    step: artifact.kind,
    target: target.triple,
    inputs: { product: made.key, glibc: target.oldest.glibc ?? '' },
    module: import.meta.filename,
    outputs: [file],
    make: async () => {
      const packed = await pack(target, artifact, { ...made.facts, executable: await executableOf(target) });
      await writeFile(file, packed);
      return { bytes: packed.length };
    },
    summary: ({ bytes }) => `${artifact.file}, ${megabytes(bytes)}`,
  });
  return { ...artifact, sha256: hashes[0] ?? '', bytes: facts.bytes };
}

async function pack(target: ReadyTarget, { kind }: Artifact, facts: PackageFacts): Promise<Buffer> {
  const { architecture } = target;
  const { glibc } = target.oldest;
  const { name, version, time, about } = facts;
  switch (kind) {
    case 'deb':
      return deb(
        debControl(facts, { architecture: architecture.debian, glibc }),
        await packageFiles(facts, 'deb'),
        time,
      );
    case 'rpm':
      return rpm(rpmFacts(facts, { architecture: architecture.rpm, glibc }), await packageFiles(facts, 'rpm'), time);
    case 'apk': {
      const { summary, homepage: url, license, maintainer } = about;
      const its = {
        name,
        version: `${version}-r0`,
        architecture: architecture.alpine,
        summary,
        url,
        license,
        maintainer,
      };
      return apk(its, await packageFiles(facts, 'apk'), time);
    }
    case 'npm':
      return platformPackage(facts, program.npm?.scope ?? '', npmTarget(target));
    default:
      throw new TypeError(`${kind} is no package`);
  }
}

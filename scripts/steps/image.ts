/** What is made of all targets together. `image`: one container image for every platform, from the static executables, as an OCI layout in a tar. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Image, Platform } from '../formats/oci.ts';
import { ociLayout } from '../formats/oci.ts';
import { container } from '../packaging/container.ts';
import { launcherFaults } from '../packaging/inspect.ts';
import { imageFaults } from '../packaging/inspect-image.ts';
import { launcherPackage, npmName } from '../packaging/npm.ts';
import { program } from '../program/program.ts';
import { readOrigin } from '../sources/origin.ts';
import { Failure } from '../support/errors.ts';
import { sha256 } from '../support/hash.ts';
import { megabytes } from '../support/progress.ts';
import { runStep } from '../support/step.ts';
import { artifactPath, type MadeArtifact, npmTarget } from '../targets/artifacts.ts';
import { isStatic } from '../targets/target-facts.ts';
import { isReady, type ReadyTarget, readTargets, type Target } from '../targets/targets.ts';
import type { ManifestFile } from './manifest.ts';
import { executableOf, product } from './product-facts.ts';
import type { Outcome } from './smoke.ts';

/** What is made of all targets together; nothing in a run that lacks one of them or in which one has failed. */
export async function wholeFiles(outcomes: readonly Outcome[]): Promise<ManifestFile[]> {
  if (program.package === undefined) return [];
  const ready = readTargets().targets.filter(isReady);
  const good = outcomes.filter(({ fault }) => fault === undefined);
  const hasAll = (part: (target: Target) => boolean): boolean =>
    ready.filter(part).every(({ triple }) => good.some(({ target }) => target.triple === triple));
  return [
    ...(program.image !== undefined && hasAll(isStatic)
      ? [await image(good.filter(({ target }) => isStatic(target)))]
      : []),
    ...(program.npm !== undefined && hasAll(() => true) ? [await npmLauncher(good, program.npm.scope)] : []),
  ];
}

async function npmLauncher(outcomes: readonly Outcome[], scope: string): Promise<ManifestFile> {
  const [first] = outcomes;
  if (first === undefined) throw new TypeError('a launcher starts something');
  const { facts } = await product(first.target);
  const packed = await launcherPackage(
    facts,
    scope,
    outcomes.map(({ target }) => npmTarget(target)),
  );
  const file = `${program.name}-npm-cli-${program.version}.tgz`;
  const packages = outcomes.map(({ target }) => `${scope}/${npmName(npmTarget(target))}`);
  const faults = launcherFaults(packed, facts, packages);
  if (faults.length > 0) throw new Failure(faults.map((fault) => `${file}: ${fault}`).join('\n'));
  await writeFile(artifactPath({ file }), packed);
  return { kind: 'npm', file, sha256: sha256(packed), bytes: packed.length };
}

async function image(outcomes: readonly Outcome[]): Promise<ManifestFile> {
  const file = `${program.name}-v${program.version}-image.tar`;
  const path = artifactPath({ file });
  const { commit, time } = await readOrigin();
  const products = await Promise.all(outcomes.map(({ target }) => product(target)));
  const bills = outcomes.map(({ artifacts }) => artifacts.find(({ kind }) => kind === 'sbom'));
  const healthcheck = program.image?.healthcheck ?? [];
  const { facts, hashes } = await runStep({
    step: 'image',
    inputs: {
      products: products.map(({ key }) => key).join(),
      bills: bills.map((bill) => bill?.sha256 ?? '').join(),
      healthcheck: healthcheck.join('\n'),
      commit,
    },
    module: import.meta.filename,
    outputs: [path],
    make: async () => {
      const images: Image[] = [];
      for (const [index, made] of products.entries()) {
        const { target } = outcomes[index] as Outcome;
        const [executable, bill] = await Promise.all([executableOf(target), readBill(bills[index])]);
        images.push(container({ ...made.facts, executable, commit, bill, healthcheck, platform: platformOf(target) }));
      }
      const layout = await ociLayout(images, program.version, time);
      const executables = new Map(
        outcomes.map(({ target }, index) => [target.architecture.platform, products[index]?.sha256 ?? '']),
      );
      const { name, version } = program;
      const faults = imageFaults(layout.tar, {
        name,
        version,
        time,
        service: program.package?.service,
        healthcheck,
        executables,
      });
      if (faults.length > 0) throw new Failure(faults.map((fault) => `${file}: ${fault}`).join('\n'));
      await writeFile(path, layout.tar);
      return { bytes: layout.tar.length, digest: layout.digest };
    },
    summary: ({ bytes, digest }) => `${file}, ${megabytes(bytes)}, ${digest}`,
  });
  return { kind: 'image', file, sha256: hashes[0] ?? '', bytes: facts.bytes };
}

async function readBill(bill: MadeArtifact | undefined): Promise<Uint8Array> {
  if (bill === undefined) throw new TypeError('every target has a bill of materials');
  return readFile(artifactPath(bill));
}

/** linux/arm/v7 in its parts. */
function platformOf({ architecture }: ReadyTarget): Platform {
  const [, name, variant] = architecture.platform.split('/');
  return { os: 'linux', architecture: name, ...(variant === undefined ? {} : { variant }) } as Platform;
}

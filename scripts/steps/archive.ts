/**
 * `archive`: the tarball that people download. Same commit, same bytes. Owns `build/archive/`; steps/dist.ts
 * gives what has passed every check its final name.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { foldersOf } from '../formats/deb.ts';
import { type Entry, tarGz } from '../formats/tar.ts';
import { shareFiles } from '../packaging/contents.ts';
import { program } from '../program/program.ts';
import { readOrigin } from '../sources/origin.ts';
import { root } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { sha256 } from '../support/hash.ts';
import { once } from '../support/once.ts';
import { megabytes } from '../support/progress.ts';
import { runStep } from '../support/step.ts';
import { archiveFolder, artifactPath, type MadeArtifact, tarball } from '../targets/artifacts.ts';
import { eachTarget } from '../targets/select.ts';
import { budgetOf } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { deflated } from './deflate.ts';
import { executableOf, product as productOf } from './product-facts.ts';

export function archive(target: ReadyTarget): Promise<MadeArtifact> {
  return once(`archive ${target.triple}`, () => make(target));
}

async function make(target: ReadyTarget): Promise<MadeArtifact> {
  const product = await productOf(target);
  const artifact = tarball(target);
  const file = artifactPath(artifact);
  const folder = archiveFolder(target);
  const { time } = await readOrigin();
  const budget = budgetOf(target).archive;
  const texts = {
    ...(await filesNamed([...program.licenses, ...program.archive])),
    'README.md': Buffer.from(product.facts.texts.readme),
    'THIRD-PARTY-LICENSES.txt': Buffer.from(product.facts.texts.thirdParty),
  };
  const shared = shareFiles(product.facts);
  const deflate = await deflated(target);
  const { facts, hashes } = await runStep({
    step: 'archive',
    target: target.triple,
    inputs: {
      product: product.sha256,
      time: String(time),
      texts: [...Object.values(texts), ...shared.map(({ data }) => data)].map(sha256).join(),
      budget: String(budget),
    },
    module: import.meta.filename,
    outputs: [file],
    make: async () => {
      const entries: readonly Entry[] = [
        { name: `${folder}/` as const, mode: 0o755 },
        ...Object.entries(texts).map(([name, data]) => ({ name: `${folder}/${name}`, mode: 0o644 as const, data })),
        ...foldersOf(shared).map((below) => ({ name: `${folder}${below}/` as const, mode: 0o755 as const })),
        ...shared.map(({ path: below, data }) => ({ name: `${folder}${below}`, mode: 0o644 as const, data })),
        { name: `${folder}/${program.name}`, mode: 0o755, data: await executableOf(target) },
      ];
      const packed = await tarGz(entries, time, deflate);
      if (packed.length > budget)
        throw new Failure(`the archive must have at most ${budget} bytes, got ${packed.length}`);
      await writeFile(file, packed);
      return { bytes: packed.length };
    },
    summary: ({ bytes }) => `${artifact.file}, ${megabytes(bytes)}`,
  });
  return { ...artifact, sha256: hashes[0] ?? '', bytes: facts.bytes };
}

/** By their names in the archive. */
async function filesNamed(files: readonly string[]): Promise<Record<string, Buffer>> {
  const texts = files.map(async (file) => [path.basename(file), await readFile(path.join(root, file))] as const);
  return Object.fromEntries(await Promise.all(texts));
}

if (import.meta.main) await eachTarget('Packs the tarball of each target into build/archive/.', archive);

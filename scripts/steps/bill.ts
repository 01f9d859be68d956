/** `sbom`: what is inside a target's executable, from its runtime's BUILD.json, package-lock.json and the bundle's packages. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { billOfMaterials, type Part } from '../packaging/bill.ts';
import { program } from '../program/program.ts';
import { root, toolchain } from '../support/checkout.ts';
import { runStep } from '../support/step.ts';
import { type Artifact, artifactPath, type MadeArtifact } from '../targets/artifacts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { product } from './product-facts.ts';

export async function bill(target: ReadyTarget, artifact: Artifact): Promise<MadeArtifact> {
  const made = await product(target);
  const file = artifactPath(artifact);
  const lock = await readFile(path.join(root, 'package-lock.json'), 'utf8').catch(() => '{}');
  const { facts, hashes } = await runStep({
    step: 'sbom',
    target: target.triple,
    inputs: {
      product: made.key,
      packages: made.packages.join(),
      lock,
    },
    module: import.meta.filename,
    outputs: [file],
    make: async () => {
      const { packages = {} } = JSON.parse(lock) as LockFile;
      const npmParts = made.packages.map((folder) => npmPart(folder, packages[folder]?.integrity));
      const parts = [...(await runtimeParts(target.triple)), ...(await Promise.all(npmParts))];
      const text = billOfMaterials({
        name: program.name,
        version: program.version,
        target: target.triple,
        license: made.facts.about.license,
        executable: { sha256: made.sha256 },
        time: made.facts.time,
        parts,
      });
      await writeFile(file, text);
      return { bytes: Buffer.byteLength(text), parts: parts.length };
    },
    summary: ({ parts }) => `${artifact.file}, ${parts} parts`,
  });
  return { ...artifact, sha256: hashes[0] ?? '', bytes: facts.bytes };
}

async function runtimeParts(triple: string): Promise<Part[]> {
  const { sources } = JSON.parse(await readFile(path.join(toolchain, 'runtimes', triple, 'BUILD.json'), 'utf8')) as {
    sources: readonly { name: string; version: string; license: string; sha256: string }[];
  };
  return sources.map(({ name, version, license, sha256 }) => ({
    kind: 'runtime',
    name,
    version,
    license,
    hash: { alg: 'SHA-256', content: sha256 },
  }));
}

interface LockFile {
  readonly packages?: Readonly<Record<string, { readonly integrity?: string }>>;
}

/** `folder` is below the project; `integrity` is the hash of the package as the registry serves it, by the lock file. */
async function npmPart(folder: string, integrity = ''): Promise<Part> {
  const { name, version, license } = JSON.parse(await readFile(path.resolve(root, folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const [, digest] = /^sha512-(.+)$/.exec(integrity) ?? [];
  const hash =
    digest === undefined
      ? undefined
      : ({ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') } as const);
  return { kind: 'npm', name, version, license: license ?? 'NOASSERTION', hash };
}

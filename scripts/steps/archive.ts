/**
 * `archive`: the tarball that people download. Same commit, same bytes. Owns `build/archive/`; steps/dist.ts
 * gives what has passed every check its final name.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Entry, tarGz } from '../formats/tar.ts';
import { archiveReadme } from '../program/archive-readme.ts';
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
import { budgetOf, containerImage, needsOf } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { nodeBinary } from './node-binary.ts';
import { verify } from './verify.ts';

export function archive(target: ReadyTarget): Promise<MadeArtifact> {
  return once(`archive ${target.triple}`, () => make(target));
}

async function make(target: ReadyTarget): Promise<MadeArtifact> {
  const product = await verify(target);
  const { licenses } = await nodeBinary(target);
  const artifact = tarball(target);
  const file = artifactPath(artifact);
  const folder = archiveFolder(target);
  const { time } = await readOrigin();
  const budget = budgetOf(target).archive;
  const texts = {
    ...(await filesNamed([...program.licenses, ...program.archive])),
    'README.md': await readmeFor(target),
    'THIRD-PARTY-LICENSES.txt': await thirdPartyLicenses(product.packages, licenses),
  };
  const { facts, hashes } = await runStep({
    step: 'archive',
    target: target.triple,
    inputs: {
      product: product.sha256,
      time: String(time),
      texts: Object.values(texts).map(sha256).join(),
      budget: String(budget),
    },
    module: import.meta.filename,
    outputs: [file],
    make: async () => {
      const entries: readonly Entry[] = [
        { name: `${folder}/` as const, mode: 0o755 },
        ...Object.entries(texts).map(([name, data]) => ({ name: `${folder}/${name}`, mode: 0o644 as const, data })),
        { name: `${folder}/${program.name}`, mode: 0o755, data: await readFile(product.file) },
      ];
      const packed = await tarGz(entries, time);
      if (packed.length > budget)
        throw new Failure(`the archive must have at most ${budget} bytes, got ${packed.length}`);
      await writeFile(file, packed);
      return { bytes: packed.length };
    },
    summary: ({ bytes }) => `${artifact.file}, ${megabytes(bytes)}`,
  });
  return { ...artifact, sha256: hashes[0] ?? '', bytes: facts.bytes, executableBytes: product.bytes };
}

/** By their names in the archive. */
async function filesNamed(files: readonly string[]): Promise<Record<string, Buffer>> {
  const texts = files.map(async (file) => [path.basename(file), await readFile(path.join(root, file))] as const);
  return Object.fromEntries(await Promise.all(texts));
}

const defaultReadme = path.join(import.meta.dirname, '../program/archive.README.md');

async function readmeFor(target: ReadyTarget): Promise<Buffer> {
  const template = await readFile(
    program.readme === undefined ? defaultReadme : path.join(root, program.readme),
    'utf8',
  );
  const values = {
    name: program.name,
    version: program.version,
    target: target.triple,
    folder: archiveFolder(target),
    archive: tarball(target).file,
    needs: needsOf(target),
    platform: target.architecture.platform,
    image: containerImage(target),
  };
  return Buffer.from(archiveReadme(template, values));
}

/** The licenses of the npm packages in the bundle, then those of the runtime. */
async function thirdPartyLicenses(packages: readonly string[], runtimeLicenses: string): Promise<Buffer> {
  const parts = await Promise.all(packages.map(packageLicense));
  const runtime = await readFile(runtimeLicenses, 'utf8');
  const intro = `${program.name} is one file. Besides its own code (LICENSE) it contains the following.\n`;
  return Buffer.from([intro, ...parts, `==== Node.js and what it contains ====\n\n${runtime}`].join('\n'));
}

async function packageLicense(folder: string): Promise<string> {
  const files = await readdir(path.resolve(root, folder));
  const named = files.filter((file) => /^(licen[cs]e|copying)([-.]|$)/i.test(file)).sort();
  const { name, version, license } = JSON.parse(await readFile(path.resolve(root, folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const texts = await Promise.all(named.map((file) => readFile(path.resolve(root, folder, file), 'utf8')));
  const text = texts.join('\n\n') || `No license file; its package.json says ${license ?? 'nothing'}.\n`;
  return `==== ${name} ${version} ====\n\n${text}`;
}

if (import.meta.main) await eachTarget('Packs the tarball of each target into build/archive/.', archive);

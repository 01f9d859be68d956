/**
 * Step 6, `archive`: the tarball that people download. Same commit, same bytes. Owns the `.tar.gz` files in `dist/`.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { base } from './base.ts';
import { eachTarget } from './command.ts';
import { archivePath, budgetOf } from './derived.ts';
import { Failure } from './problem.ts';
import { commitTime, name, root } from './project.ts';
import { megabytes } from './say.ts';
import { once, runStep, sha256, sha256File } from './step.ts';
import { type Entry, tarGz } from './tar.ts';
import type { ReadyTarget } from './targets.ts';
import { verify } from './verify.ts';

export interface Archive {
  readonly file: string;
  readonly sha256: string;
  readonly octets: number;
  readonly executableOctets: number;
}

/** The names in every archive, sorted; README.md tells what to do with them. */
export const archiveEntries = ['LICENSE', 'README.md', 'THIRD-PARTY-LICENSES.txt', name] as const;

export function archive(target: ReadyTarget): Promise<Archive> {
  return once(`archive ${target.triple}`, () => make(target));
}

async function make(target: ReadyTarget): Promise<Archive> {
  const product = await verify(target);
  const { licenses } = await base(target);
  const file = archivePath(target);
  const time = commitTime();
  const budget = budgetOf(target).archive;
  const texts = await Promise.all(['LICENSE', 'README.md'].map((text) => readFile(path.join(root, text))));
  const [license, readme] = texts as [Buffer, Buffer];
  const thirdParty = await thirdPartyLicenses(product.packages, licenses);
  const { facts, hashes } = await runStep({
    step: 'archive',
    target: target.triple,
    inputs: {
      product: product.sha256,
      time: String(time),
      texts: [license, readme, thirdParty].map(sha256).join(),
      budget: String(budget),
    },
    code: [import.meta.filename, `${import.meta.dirname}/tar.ts`],
    outputs: [file],
    make: async () => {
      const entries = [
        { name: 'LICENSE', mode: 0o644, data: license },
        { name: 'README.md', mode: 0o644, data: readme },
        { name: 'THIRD-PARTY-LICENSES.txt', mode: 0o644, data: thirdParty },
        { name, mode: 0o755, data: await readFile(product.file) },
      ] as const satisfies readonly Entry[];
      const packed = await tarGz(entries, time);
      if (packed.length > budget) throw new Failure(`the archive may have ${budget} octets, has ${packed.length}`);
      await writeFile(file, packed);
      return { octets: packed.length };
    },
    summary: ({ octets }) => `${path.basename(file)}, ${megabytes(octets)}`,
  });
  return {
    file,
    sha256: hashes[0] ?? (await sha256File(file)),
    octets: facts.octets,
    executableOctets: product.octets,
  };
}

/** The licences of the npm packages in the bundle, then those of the runtime. */
async function thirdPartyLicenses(packages: readonly string[], runtimeLicenses: string): Promise<Buffer> {
  const parts = await Promise.all(packages.map(packageLicense));
  const runtime = await readFile(runtimeLicenses, 'utf8');
  const intro = 'vrypt-server is one file. Besides its own code (LICENSE) it contains what follows.\n';
  return Buffer.from([intro, ...parts, `==== Node.js and what it contains ====\n\n${runtime}`].join('\n'));
}

async function packageLicense(folder: string): Promise<string> {
  const files = await readdir(path.join(root, folder));
  const license = files.find((file) => /^licen[cs]e(\.(md|txt))?$/i.test(file));
  if (license === undefined) throw new Failure(`the bundle contains ${folder}, which has no licence file`);
  const { name, version } = JSON.parse(await readFile(path.join(root, folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  return `==== ${name} ${version} ====\n\n${await readFile(path.join(root, folder, license), 'utf8')}`;
}

if (import.meta.main) await eachTarget('Packs the tarball of each target into dist/.', archive);

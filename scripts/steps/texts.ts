/** The texts that go along with an executable: its README and the licenses of everything inside. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { archiveReadme } from '../program/archive-readme.ts';
import { program } from '../program/program.ts';
import { root } from '../support/checkout.ts';
import { archiveFolder, tarball } from '../targets/artifacts.ts';
import { containerImage, needsOf } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';

const defaultReadme = path.join(import.meta.dirname, '../program/archive.README.md');

/** The README of the archive. */
export async function readmeFor(target: ReadyTarget): Promise<string> {
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
  return archiveReadme(template, values);
}

/** The licenses of the npm packages in the bundle, then those of the runtime. */
export async function thirdPartyLicenses(packages: readonly string[], runtimeLicenses: string): Promise<string> {
  const parts = await Promise.all(packages.map(packageLicense));
  const runtime = await readFile(runtimeLicenses, 'utf8');
  const intro = `${program.name} is one file. Besides its own code (LICENSE) it contains the following.\n`;
  return [intro, ...parts, `==== Node.js and what it contains ====\n\n${runtime}`].join('\n');
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

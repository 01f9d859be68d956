/** Everything that packages, bills and images say of a target's executable, gathered from the description and earlier steps. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CommandLine } from '../packaging/command-line.ts';
import type { PackageFacts } from '../packaging/package-facts.ts';
import type { About } from '../program/about.ts';
import { program } from '../program/program.ts';
import { readOrigin } from '../sources/origin.ts';
import { root } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { sha256 } from '../support/hash.ts';
import { once } from '../support/once.ts';
import { capabilitiesOf } from '../targets/capabilities.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { nodeBinary } from './node-binary.ts';
import { readmeFor, thirdPartyLicenses } from './texts.ts';
import { type Verified, verify } from './verify.ts';

export interface Product extends Verified {
  readonly facts: Omit<PackageFacts, 'executable'>;
  /** A hash of all facts, the executable included. */
  readonly key: string;
}

export function product(target: ReadyTarget): Promise<Product> {
  return once(`product ${target.triple}`, () => gather(target));
}

/** Read once for all files that hold it: they share what is compressed of it. */
export function executableOf(target: ReadyTarget): Promise<Buffer> {
  return once(`executable ${target.triple}`, async () => {
    const { file, sha256: wanted } = await verify(target);
    const data = await readFile(file);
    const got = sha256(data);
    if (got === wanted) return data;
    throw new Failure(`${file} must still be the file that was verified, SHA-256 ${wanted}, got ${got}`);
  });
}

/** undefined where the description names no module. */
export function readCommandLine(): Promise<CommandLine | undefined> {
  return once('command line', async () => {
    if (program.commandLine === undefined) return undefined;
    const module = (await import(pathToFileURL(path.join(root, program.commandLine)).href)) as {
      commandLine?: CommandLine;
    };
    if (module.commandLine !== undefined) return module.commandLine;
    throw new Failure(
      `${program.file}: commandLine must be a module that exports commandLine, got ${program.commandLine}`,
    );
  });
}

/** What is said where the description has no part `package`: for texts that every program has. */
const plain = {
  summary: program.name,
  description: '',
  maintainer: '',
  homepage: '',
  license: 'UNKNOWN',
  service: undefined,
};

/** Only what its runtime can do. */
function aboutFor(target: ReadyTarget): About {
  const about = program.package ?? plain;
  if (about.service === undefined) return about;
  const notifies = about.service.notifies && capabilitiesOf(target).binding;
  return { ...about, service: { ...about.service, notifies } };
}

async function gather(target: ReadyTarget): Promise<Product> {
  const verified = await verify(target);
  const { licenses } = await nodeBinary(target);
  const { time } = await readOrigin();
  const facts = {
    name: program.name,
    version: program.version,
    time,
    about: aboutFor(target),
    commandLine: await readCommandLine(),
    texts: {
      license: await readText(program.licenses[0]),
      thirdParty: await thirdPartyLicenses(verified.packages, licenses),
      readme: await readmeFor(target),
      changelog: await readText('CHANGELOG.md'),
    },
  };
  return { ...verified, facts, key: sha256(JSON.stringify([facts, verified.sha256])) };
}

async function readText(file: string | undefined): Promise<string> {
  return file === undefined ? '' : readFile(path.join(root, file), 'utf8').catch(() => '');
}

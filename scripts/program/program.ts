/**
 * The program that is packaged, as its description says it, with the defaults filled in from its package.json. One process
 * packages one program: that of the folder in which it was started.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../support/checkout.ts';
import { UsageError } from '../support/errors.ts';
import type { About, Service } from './about.ts';
import { faultOf, lineOf } from './check.ts';
import { schema } from './schema.ts';

export interface Program {
  /** Where its faults are named: `vrypt.release.json` or `package.json`. */
  readonly file: string;
  readonly name: string;
  readonly version: string;
  /** The versions of Node that its package.json asks for; empty for any. */
  readonly engines: string;
  /** Below the project's folder. */
  readonly entry: string;
  readonly workers: readonly string[];
  readonly assets: readonly string[];
  readonly packages: readonly string[];
  readonly without: readonly string[];
  readonly addons: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly oneFile: OneFile | undefined;
  readonly environment: 'closed' | 'open';
  readonly execArgv: readonly string[];
  readonly licenses: readonly string[];
  readonly readme: string | undefined;
  readonly archive: readonly string[];
  /** A module that describes the command line. */
  readonly commandLine: string | undefined;
  /** undefined: no deb, rpm or apk. */
  readonly package: About | undefined;
  /** undefined: no container image. */
  readonly image: { readonly healthcheck: readonly string[] } | undefined;
  /** undefined: no npm packages. */
  readonly npm: { readonly scope: string } | undefined;
  readonly targets: readonly string[];
  readonly budget: { readonly executable?: number; readonly archive?: number };
  /** Empty: nobody says how it is tried. */
  readonly smoke: readonly SmokeSession[];
  readonly out: string;
}

export interface OneFile {
  readonly texts: Readonly<Record<string, string>>;
  readonly stamps: { readonly version?: string; readonly commit?: string; readonly targets?: string };
  readonly replaced: Readonly<Record<string, string>>;
  /** The constant that tells small code from the whole; undefined: there is one code. */
  readonly plain?: string;
}

export interface SmokeSession {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ready?: string;
  readonly ask: readonly Question[];
  readonly prints: readonly string[];
  readonly stop: 'SIGTERM' | 'SIGINT';
  readonly exitCode?: number;
  readonly writesNothing?: boolean;
  readonly module?: string;
}

export interface Question {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly status?: number;
  readonly content?: string;
  readonly contains?: string;
}

export const descriptionFile = 'vrypt.release.json';

/** What a description that was checked against the schema holds. */
type Description = Partial<Omit<Program, 'smoke' | 'oneFile' | 'package' | 'image'>> & {
  readonly package?: Partial<Omit<About, 'service'>> &
    Pick<About, 'maintainer'> & { readonly service?: Partial<Service> & Pick<Service, 'port'> };
  readonly image?: { readonly healthcheck?: readonly string[] };
  readonly smoke?: Partial<SmokeSession> | readonly Partial<SmokeSession>[];
  readonly oneFile?: Partial<OneFile>;
};

export interface PackageJson {
  readonly name?: string;
  readonly version?: string;
  readonly bin?: string | Readonly<Record<string, string>>;
  readonly main?: string;
  readonly engines?: { readonly node?: string };
  readonly description?: string;
  readonly homepage?: string;
  readonly license?: string;
  readonly vrypt?: unknown;
}

/** Reads the description of the program in `folder`; what is wrong with it is a UsageError with file, line and rule. */
export function readProgram(folder: string = root): Program {
  const manifest = readJson(folder, 'package.json') ?? { text: '', value: {} };
  const own = readJson(folder, descriptionFile);
  const { name, version, bin, main, engines, vrypt } = manifest.value as PackageJson;
  const file = own !== undefined || vrypt === undefined ? descriptionFile : 'package.json';
  const value = own?.value ?? vrypt ?? {};
  const inside = own === undefined && vrypt !== undefined ? ['vrypt'] : [];
  const fault = faultOf(value, schema);
  if (fault !== undefined) {
    const line = lineOf((own ?? manifest).text, [...inside, ...fault.path]);
    throw new UsageError(`${file}:${line}: ${[...inside, ...fault.path].join('.') || 'the description'} ${fault.rule}`);
  }
  const given = value as Description;
  const entry = given.entry ?? (typeof bin === 'string' ? bin : Object.values(bin ?? {})[0]) ?? main;
  const title = given.name ?? name?.replace(/^@[^/]*\//, '') ?? path.basename(folder);
  return {
    file,
    name: title,
    version: given.version ?? version ?? '0.0.0',
    engines: engines?.node ?? '',
    entry: path.normalize(entry ?? 'index.js'),
    workers: given.workers ?? [],
    assets: given.assets ?? [],
    packages: given.packages ?? [],
    without: given.without ?? [],
    addons: given.addons ?? {},
    oneFile: given.oneFile === undefined ? undefined : { texts: {}, stamps: {}, replaced: {}, ...given.oneFile },
    environment: given.environment ?? 'closed',
    execArgv: given.execArgv ?? [],
    licenses: given.licenses ?? licensesIn(folder),
    readme: given.readme,
    archive: given.archive ?? [],
    commandLine: given.commandLine,
    package: given.package === undefined ? undefined : aboutOf(given.package, manifest.value as PackageJson, title),
    image: given.image === undefined ? undefined : { healthcheck: [], ...given.image },
    npm: given.npm,
    targets: given.targets ?? [],
    budget: given.budget ?? {},
    smoke: [given.smoke ?? []].flat().map((session) => ({
      args: [],
      env: {},
      ask: [],
      prints: [],
      stop: 'SIGTERM',
      ...(session as Partial<SmokeSession>),
    })),
    out: given.out ?? 'release',
  };
}

function aboutOf(given: NonNullable<Description['package']>, manifest: PackageJson, title: string): About {
  const { service, ...about } = given;
  const summary = about.summary ?? manifest.description ?? title;
  return {
    summary,
    description: summary,
    homepage: manifest.homepage ?? '',
    license: manifest.license ?? 'UNKNOWN',
    ...about,
    service: service && { args: [], takesSocket: false, notifies: false, environment: [], ...service },
  };
}

/** By their names; readdir sorts nothing. */
function licensesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^(licen[cs]e|copying|notice)(\.(md|txt))?$/i.test(name))
    .sort();
}

function readJson(folder: string, name: string): { text: string; value: object } | undefined {
  const file = path.join(folder, name);
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  try {
    return { text, value: JSON.parse(text) as object };
  } catch (error) {
    throw new UsageError(`${name} must be JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export const program: Program = readProgram();

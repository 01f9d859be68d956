/**
 * Reads what was made as a stranger would and says what is wrong with it: archive, deb, rpm, apk, npm package, bill of materials.
 * The rules come from the description and the target, not from what makes the files. Pure; an empty list is the verdict "good".
 */
import { gunzipWhole, readTar, type TarEntry } from '../formats/tar-reader.ts';
import { Failure } from '../support/errors.ts';
import { type InspectFacts, manualPlaces } from './inspect-facts.ts';
import { apkFaults, debFaults, rpmFaults } from './inspect-package.ts';
import { type Place, treeFaults } from './inspected-tree.ts';

export type InspectedKind = 'tar.gz' | 'deb' | 'rpm' | 'apk' | 'npm' | 'sbom';

export function artifactFaults(kind: InspectedKind, bytes: Buffer, facts: InspectFacts): string[] {
  try {
    return inspectors[kind](bytes, facts);
  } catch (error) {
    // A file that ends too early is read beyond its end.
    if (error instanceof Failure || error instanceof RangeError || error instanceof SyntaxError)
      return [`must be a whole ${kind}: ${error.message}`];
    throw error;
  }
}

const inspectors: Readonly<Record<InspectedKind, (bytes: Buffer, facts: InspectFacts) => string[]>> = {
  'tar.gz': archiveFaults,
  deb: debFaults,
  rpm: rpmFaults,
  apk: apkFaults,
  npm: npmFaults,
  sbom: billFaults,
};

function archiveFaults(bytes: Buffer, { folder, name, texts, hasManual, executable, time }: InspectFacts): string[] {
  const places: Place[] = [
    { path: `${folder}/${name}`, mode: 0o755, sha256: executable },
    ...texts.map((file) => ({ path: `${folder}/${file}`, mode: 0o644 as const })),
    ...(hasManual ? manualPlaces(name, '').map((path) => ({ path: `${folder}${path}`, mode: 0o644 as const })) : []),
  ];
  return treeFaults(readTar(gunzipWhole(bytes)), { places, time });
}

function npmFaults(bytes: Buffer, facts: InspectFacts): string[] {
  const entries = readTar(gunzipWhole(bytes));
  const faults = treeFaults(entries, {
    places: [
      { path: `package/bin/${facts.name}`, mode: 0o755, sha256: facts.executable },
      ...['package.json', 'README.md', 'LICENSE', 'THIRD-PARTY-LICENSES.txt'].map((file) => ({
        path: `package/${file}`,
        mode: 0o644 as const,
      })),
    ],
    time: facts.time,
  });
  const said = packageJson(entries);
  const { version, architecture, libc } = facts;
  const wanted = {
    version,
    os: ['linux'],
    cpu: [architecture],
    libc: [libc],
    scripts: undefined,
    dependencies: undefined,
  };
  faults.push(...fieldFaults(said, wanted));
  if (typeof said['name'] !== 'string' || !said['name'].startsWith(`${facts.scope}/`)) {
    faults.push(`package.json must have a name of ${facts.scope}, got ${said['name']}`);
  }
  return faults;
}

/** Of the launcher: what it starts comes from packages of the same version. */
export function launcherFaults(
  bytes: Buffer,
  { version, time }: Pick<InspectFacts, 'version' | 'time'>,
  packages: readonly string[],
): string[] {
  const entries = readTar(gunzipWhole(bytes));
  const texts = ['package.json', 'README.md', 'LICENSE'].map((file) => ({
    path: `package/${file}`,
    mode: 0o644 as const,
  }));
  const places: Place[] = [{ path: 'package/launch.js', mode: 0o755 }, ...texts];
  const said = packageJson(entries);
  const wanted = {
    version,
    optionalDependencies: Object.fromEntries(packages.map((name) => [name, version])),
    scripts: undefined,
    dependencies: undefined,
  };
  return [...treeFaults(entries, { places, time }), ...fieldFaults(said, wanted)];
}

function packageJson(entries: readonly TarEntry[]): Record<string, unknown> {
  return JSON.parse(entries.find(({ name }) => name === 'package/package.json')?.data.toString() ?? '{}');
}

function fieldFaults(said: Readonly<Record<string, unknown>>, wanted: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(wanted).flatMap(([key, value]) => {
    const [right, got] = [value, said[key]].map((each) => JSON.stringify(each) ?? 'nothing');
    return right === got ? [] : [`package.json must have the ${key} ${right}, got ${got}`];
  });
}

interface Bill {
  readonly specVersion?: string;
  readonly metadata?: {
    readonly timestamp?: string;
    readonly component?: {
      readonly version?: string;
      readonly hashes?: readonly { readonly content: string }[];
      readonly properties?: readonly { readonly value: string }[];
    };
  };
  readonly components?: readonly {
    readonly name: string;
    readonly version: string;
    readonly licenses?: readonly { readonly expression?: string }[];
  }[];
}

function billFaults(bytes: Buffer, facts: InspectFacts): string[] {
  const { specVersion, metadata, components = [] } = JSON.parse(bytes.toString()) as Bill;
  const self = metadata?.component;
  const rules: readonly (readonly [what: string, wanted: string, got: string | undefined])[] = [
    ['format', '1.6', specVersion],
    ['time', `${new Date(facts.time * 1000).toISOString().slice(0, 19)}Z`, metadata?.timestamp],
    ['version', facts.version, self?.version],
    ['executable', facts.executable, self?.hashes?.[0]?.content],
    ['target', facts.target, self?.properties?.[0]?.value],
    ['Node', facts.node, components.find(({ name }) => name === 'node')?.version],
  ];
  return [
    ...rules
      .filter(([, wanted, got]) => wanted !== got)
      .map(([what, wanted, got]) => `must name the ${what} ${wanted}, got ${got ?? 'nothing'}`),
    ...components
      .filter(({ licenses }) => (licenses?.[0]?.expression ?? '') === '')
      .map(({ name, version }) => `must name a license of ${name} ${version}, got none`),
  ];
}

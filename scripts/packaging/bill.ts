/**
 * What is inside an executable, as a CycloneDX 1.6 bill of materials. Pure and deterministic: its serial number is a hash of its
 * content, its time that of the commit. https://cyclonedx.org/docs/1.6/json/
 */
import { createHash } from 'node:crypto';

export interface BillFacts {
  readonly name: string;
  readonly version: string;
  readonly target: string;
  readonly license: string;
  readonly executable: { readonly sha256: string };
  /** Seconds since 1970. */
  readonly time: number;
  readonly parts: readonly Part[];
}

export interface Part {
  /** `runtime`: Node and what is compiled into it; `npm`: a package whose code is in the bundle. */
  readonly kind: 'runtime' | 'npm';
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
  readonly hash: { readonly alg: 'SHA-256' | 'SHA-512'; readonly content: string } | undefined;
}

export function billOfMaterials({ name, version, target, license, executable, time, parts }: BillFacts): string {
  const self = `${name}@${version}:${target}`;
  const components = [...parts]
    .sort((a, b) => (purl(a) < purl(b) ? -1 : 1))
    .map((part) => ({
      type: part.name === 'node' ? 'platform' : 'library',
      'bom-ref': purl(part),
      name: part.name,
      version: part.version,
      licenses: [{ expression: part.license }],
      ...(part.hash === undefined ? {} : { hashes: [part.hash] }),
      purl: purl(part),
    }));
  const content = {
    version: 1,
    metadata: {
      timestamp: `${new Date(time * 1000).toISOString().slice(0, 19)}Z`,
      component: {
        type: 'application',
        'bom-ref': self,
        name,
        version,
        licenses: [{ expression: license }],
        hashes: [{ alg: 'SHA-256', content: executable.sha256 }],
        properties: [{ name: 'target', value: target }],
      },
    },
    components,
    dependencies: [
      { ref: self, dependsOn: components.map((component) => component['bom-ref']) },
      ...components.map((component) => ({ ref: component['bom-ref'] })),
    ],
  };
  const head = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
  };
  return `${JSON.stringify({ ...head, ...content }, null, 2)}\n`;
}

/** https://github.com/package-url/purl-spec */
function purl({ kind, name, version }: Part): string {
  const [scope, rest] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const path = scope === undefined ? encodeURIComponent(name) : `${encodeURIComponent(scope)}/${rest}`;
  return `pkg:${kind === 'npm' ? 'npm' : 'generic'}/${path}@${encodeURIComponent(version)}`;
}

/** RFC 9562 §5.8: a UUID of our own making. */
function uuidOf(text: string): string {
  const digits = createHash('sha256').update(text).digest('hex');
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `8${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-');
}

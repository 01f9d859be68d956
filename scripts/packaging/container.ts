/** The container image of a program: one executable, its licenses, nobody's rights. Pure. */
import type { Image, Platform } from '../formats/oci.ts';
import type { PackageFacts } from './package-facts.ts';

export interface ContainerFacts extends PackageFacts {
  readonly platform: Platform;
  /** As it is stamped: with a mark when the checkout had changed. */
  readonly commit: string;
  /** CycloneDX, as JSON. */
  readonly bill: Uint8Array;
  /** The command by which the executable asks its own server; empty: none. */
  readonly healthcheck: readonly string[];
}

/** Nobody of any distribution, and nobody's group: 65534 is what Kubernetes and Docker call nobody. */
const nobody = '65534:65534';

export function container(facts: ContainerFacts): Image {
  const { name, version, time, about, texts } = facts;
  const program = `/${name}`;
  const text = (path: string, content: string) => ({ path, mode: 0o644 as const, data: Buffer.from(content) });
  const { service } = about;
  return {
    platform: facts.platform,
    config: {
      entrypoint: [program, ...(service?.args ?? [])],
      user: nobody,
      ports: service === undefined ? [] : [`${service.port}/tcp`],
      healthcheck: facts.healthcheck.length === 0 ? undefined : [program, ...facts.healthcheck],
      labels: {
        'org.opencontainers.image.created': `${new Date(time * 1000).toISOString().slice(0, 19)}Z`,
        'org.opencontainers.image.description': about.summary,
        'org.opencontainers.image.licenses': about.license,
        'org.opencontainers.image.revision': facts.commit,
        ...(about.homepage === '' ? {} : { 'org.opencontainers.image.url': about.homepage }),
        'org.opencontainers.image.title': name,
        'org.opencontainers.image.version': version,
      },
    },
    files: [
      { path: name, mode: 0o755, data: facts.executable },
      text('licenses/LICENSE', texts.license),
      text('licenses/THIRD-PARTY-LICENSES.txt', texts.thirdParty),
    ],
    attached: [{ type: 'application/vnd.cyclonedx+json', name: `${name}.cdx.json`, data: facts.bill }],
  };
}

/** Reads a container image as an engine would and says what is wrong with it. Pure. OCI Image Specification 1.1. */
import { gunzipWhole, readTar } from '../formats/tar-reader.ts';
import type { Service } from '../program/about.ts';
import { Failure } from '../support/errors.ts';
import { sha256 } from '../support/hash.ts';
import { treeFaults } from './inspected-tree.ts';

export interface ImageFacts {
  readonly name: string;
  readonly version: string;
  readonly time: number;
  readonly service: Service | undefined;
  /** Arguments; empty: no check. */
  readonly healthcheck: readonly string[];
  /** SHA-256 of the executable, by platform: linux/arm/v7. */
  readonly executables: ReadonlyMap<string, string>;
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

interface Config {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly rootfs?: { readonly diff_ids: readonly string[] };
  readonly config?: Readonly<Record<string, unknown>> & { readonly Labels?: Readonly<Record<string, string>> };
}

export function imageFaults(bytes: Buffer, facts: ImageFacts): string[] {
  try {
    return new ImageReader(bytes, facts).faults();
  } catch (error) {
    if (error instanceof Failure || error instanceof SyntaxError) return [`must be a whole image: ${error.message}`];
    throw error;
  }
}

class ImageReader {
  readonly #facts: ImageFacts;
  readonly #files: ReadonlyMap<string, Buffer>;
  readonly #faults: string[] = [];

  constructor(bytes: Buffer, facts: ImageFacts) {
    this.#facts = facts;
    const entries = readTar(bytes);
    this.#files = new Map(entries.map(({ name, data }) => [name, data]));
    const places = [...this.#files.keys()].filter((name) =>
      /^(index\.json|oci-layout|blobs\/sha256\/[0-9a-f]{64})$/.test(name),
    );
    this.#faults.push(
      ...treeFaults(entries, { places: places.map((path) => ({ path, mode: 0o644 })), time: facts.time }),
    );
  }

  faults(): string[] {
    for (const [name, data] of this.#files) {
      const digest = /^blobs\/sha256\/(.*)$/.exec(name)?.[1];
      if (digest !== undefined && digest !== '' && sha256(data) !== digest) {
        this.#faults.push(`${name} must be what its name says, got the SHA-256 ${sha256(data)}`);
      }
    }
    const [index] = this.#json<{ manifests: Descriptor[] }>('index.json', this.#files.get('index.json')).manifests;
    const { manifests } = this.#read<{ manifests: Descriptor[] }>(index);
    const platforms = manifests.map(({ platform }) => nameOf(platform));
    this.#must('the platforms', [...this.#facts.executables.keys()].sort().join(' '), [...platforms].sort().join(' '));
    for (const [at, manifest] of manifests.entries()) this.#image(platforms[at] ?? '', manifest);
    return this.#faults;
  }

  #image(platform: string, manifest: Descriptor): void {
    const { config, layers } = this.#read<{ config: Descriptor; layers: Descriptor[] }>(manifest);
    const { config: its = {}, rootfs, ...said } = this.#read<Config>(config);
    const { name, version, time, service, healthcheck } = this.#facts;
    const of = (what: string): string => `${what} of ${platform}`;
    this.#must(
      of('the config'),
      platform,
      nameOf({
        os: said.os ?? '',
        architecture: said.architecture ?? '',
        ...(said.variant === undefined ? {} : { variant: said.variant }),
      }),
    );
    this.#must(of('the layers'), '1', String(layers.length));
    const wanted = {
      User: '65534:65534',
      Entrypoint: [`/${name}`, ...(service?.args ?? [])],
      ExposedPorts: service === undefined ? {} : { [`${service.port}/tcp`]: {} },
      StopSignal: 'SIGTERM',
      Env: undefined,
      Cmd: undefined,
      Volumes: undefined,
    };
    for (const [key, value] of Object.entries(wanted)) this.#must(of(key), inWords(value), inWords(its[key]));
    const { Test } = (its['Healthcheck'] ?? {}) as { Test?: unknown };
    this.#must(
      of('the health check'),
      inWords(healthcheck.length === 0 ? undefined : ['CMD', `/${name}`, ...healthcheck]),
      inWords(Test),
    );
    this.#must(of('the version'), version, its.Labels?.['org.opencontainers.image.version'] ?? 'none');
    const packed = this.#blob(layers[0]);
    if (packed === undefined) return;
    const unpacked = gunzipWhole(packed);
    this.#must(of('the diff_ids'), `sha256:${sha256(unpacked)}`, rootfs?.diff_ids.join(' ') ?? 'none');
    const texts = ['licenses/LICENSE', 'licenses/THIRD-PARTY-LICENSES.txt'];
    const places = [
      { path: name, mode: 0o755 as const, sha256: this.#facts.executables.get(platform) },
      ...texts.map((path) => ({ path, mode: 0o644 as const })),
    ];
    this.#faults.push(...treeFaults(readTar(unpacked), { places, time }).map((fault) => `${fault} (${platform})`));
  }

  #read<T>(descriptor: Descriptor | undefined): T {
    return this.#json<T>(descriptor?.digest ?? 'a descriptor', this.#blob(descriptor));
  }

  #blob(descriptor: Descriptor | undefined): Buffer | undefined {
    const data = this.#files.get(`blobs/${descriptor?.digest.replace(':', '/')}`);
    if (descriptor !== undefined && data !== undefined) {
      this.#must(`the size of ${descriptor.digest}`, String(data.length), String(descriptor.size));
    }
    return data;
  }

  #json<T>(what: string, data: Buffer | undefined): T {
    if (data === undefined) throw new Failure(`${what} must be there, got no such file`);
    return JSON.parse(data.toString()) as T;
  }

  #must(what: string, wanted: string, got: string): void {
    if (wanted !== got) this.#faults.push(`${what} must be ${wanted}, got ${got}`);
  }
}

function nameOf(platform: Descriptor['platform']): string {
  return [platform?.os, platform?.architecture, platform?.variant].filter(Boolean).join('/');
}

function inWords(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}

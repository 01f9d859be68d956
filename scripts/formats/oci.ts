/**
 * A container image without a daemon: an OCI image layout as a tar, with one manifest per platform and artifacts that refer to
 * them. Deterministic, pure. Source: OCI Image Specification 1.1.
 */
import { createHash } from 'node:crypto';
import { gzip } from './gzip.ts';
import { type Entry, tar, tarParts } from './tar.ts';

export interface Platform {
  readonly os: 'linux';
  readonly architecture: 'amd64' | '386' | 'arm64' | 'arm';
  readonly variant?: 'v7' | 'v8';
}

export interface ImageConfig {
  readonly entrypoint: readonly string[];
  /** A number: there is no /etc/passwd. */
  readonly user: string;
  readonly ports: readonly string[];
  readonly healthcheck: readonly string[] | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Image {
  readonly platform: Platform;
  readonly config: ImageConfig;
  /** Paths without a slash at their start. */
  readonly files: readonly { readonly path: string; readonly mode: 0o644 | 0o755; readonly data: Uint8Array }[];
  /** Documents about it, by their media type: a bill of materials. */
  readonly attached: readonly { readonly type: string; readonly name: string; readonly data: Uint8Array }[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly platform?: Platform;
}

export interface Layout {
  readonly tar: Buffer;
  /** Of the index: what people pin. */
  readonly digest: string;
  readonly images: readonly { readonly platform: string; readonly digest: string; readonly layerBytes: number }[];
}

const media = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  empty: 'application/vnd.oci.empty.v1+json',
} as const;

/** Seconds of a health check, in nanoseconds as the format has them. */
const seconds = 1_000_000_000;

/** `time` in seconds since 1970; `tag` is the name under which engines load it. */
export async function ociLayout(images: readonly Image[], tag: string, time: number): Promise<Layout> {
  const blobs = new Map<string, Uint8Array>();
  const add = (mediaType: string, data: Uint8Array): Descriptor => {
    const digest = sha256(data);
    blobs.set(digest, data);
    return { mediaType, digest, size: data.length };
  };
  const addJson = (mediaType: string, value: object): Descriptor => add(mediaType, Buffer.from(JSON.stringify(value)));
  const created = `${new Date(time * 1000).toISOString().slice(0, 19)}Z`;
  const manifests: Descriptor[] = [];
  const artifacts: Descriptor[] = [];
  const made: Layout['images'][number][] = [];
  for (const { platform, config, files, attached } of images) {
    const unpacked = layerOf(files, time);
    const layer = add(media.layer, await gzip(unpacked));
    const configOf = addJson(media.config, {
      created,
      ...platform,
      config: configJson(config),
      rootfs: { type: 'layers', diff_ids: [sha256(...unpacked)] },
      history: [{ created, created_by: 'one executable and its licenses' }],
    });
    const manifest = addJson(media.manifest, {
      schemaVersion: 2,
      mediaType: media.manifest,
      config: configOf,
      layers: [layer],
      annotations: config.labels,
    });
    manifests.push({ ...manifest, platform });
    made.push({ platform: nameOf(platform), digest: manifest.digest, layerBytes: layer.size });
    for (const { type, name, data } of attached) {
      const document = { ...add(type, data), annotations: { 'org.opencontainers.image.title': name } };
      const artifact = addJson(media.manifest, {
        schemaVersion: 2,
        mediaType: media.manifest,
        artifactType: type,
        config: addJson(media.empty, {}),
        layers: [document],
        subject: manifest,
      });
      artifacts.push({ ...artifact, artifactType: type });
    }
  }
  const index = addJson(media.index, {
    schemaVersion: 2,
    mediaType: media.index,
    manifests,
    annotations: { ...images[0]?.config.labels },
  });
  // Referrers stand beside the index: a tool that copies the whole layout keeps them, one that copies the image follows `subject`.
  const top = [{ ...index, annotations: { 'org.opencontainers.image.ref.name': tag } }, ...artifacts];
  const entries: Entry[] = [
    { name: 'blobs/', mode: 0o755 },
    { name: 'blobs/sha256/', mode: 0o755 },
    text('index.json', JSON.stringify({ schemaVersion: 2, mediaType: media.index, manifests: top })),
    text('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
    ...[...blobs].map(([digest, data]) => ({ name: `blobs/sha256/${digest.slice(7)}`, mode: 0o644 as const, data })),
  ];
  return { tar: tar(entries, time), digest: index.digest, images: made };
}

export function nameOf({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

function configJson({ entrypoint, user, ports, healthcheck, labels }: ImageConfig): object {
  return {
    User: user,
    ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
    Entrypoint: entrypoint,
    WorkingDir: '/',
    StopSignal: 'SIGTERM',
    Labels: labels,
    // Docker's addition to the format: engines that do not know it ignore it.
    ...(healthcheck === undefined
      ? {}
      : {
          Healthcheck: {
            Test: ['CMD', ...healthcheck],
            Interval: 30 * seconds,
            Timeout: 6 * seconds,
            StartPeriod: 5 * seconds,
          },
        }),
  };
}

function layerOf(files: Image['files'], time: number): Uint8Array[] {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at));
  }
  const entries: Entry[] = [
    ...[...folders].map((folder) => ({ name: `${folder}/` as const, mode: 0o755 as const })),
    ...files.map(({ path, mode, data }) => ({ name: path, mode, data })),
  ];
  return tarParts(entries, time);
}

function text(name: string, content: string): Entry {
  return { name, mode: 0o644, data: Buffer.from(content) };
}

function sha256(...parts: readonly Uint8Array[]): string {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part);
  return `sha256:${sum.digest('hex')}`;
}

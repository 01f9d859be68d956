/** What `npm run release` has put into `dist/`. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { filesOf } from '../../scripts/steps/dist.ts';
import type { Manifest } from '../../scripts/steps/manifest.ts';
import { dist } from '../../scripts/targets/target-facts.ts';

export { dist };

export function readManifest(): Manifest {
  return JSON.parse(readFileSync(path.join(dist, 'manifest.json'), 'utf8')) as Manifest;
}

/** The path of a file of this kind, for a target or of all. */
export function released(kind: string, triple?: string): string {
  const manifest = readManifest();
  const files = triple === undefined ? manifest.files : manifest.targets.find(({ target }) => target === triple)?.files;
  const found = files?.find((file) => file.kind === kind)?.file;
  if (found === undefined) throw new Error(`dist/ must have the ${kind} of ${triple ?? 'the release'}, it has not`);
  return path.join(dist, found);
}

/** By their names, as a web server offers them. */
export function releasedFiles(): Map<string, Uint8Array> {
  const names = [...filesOf(readManifest()).map(({ file }) => file), 'checksums-sha256.txt', 'manifest.json'];
  return new Map(names.map((name) => [name, readFileSync(path.join(dist, name))]));
}

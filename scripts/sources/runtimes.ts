/** Where the compressed Node of a target lies: in this checkout, or in the user's cache, under the SHA-256 that pins it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { cache, toolchain } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import type { ReadyTarget } from '../targets/targets.ts';

export function ownRuntime({ triple }: ReadyTarget): string {
  return path.join(toolchain, 'runtimes', triple, 'node.xz');
}

export function packedRuntime({ triple, runtime }: ReadyTarget): string {
  return path.join(cache, 'runtimes', triple, `${runtime.sha256}.xz`);
}

export function findRuntime(target: ReadyTarget): string {
  const places = [ownRuntime(target), packedRuntime(target)];
  const found = places.find(existsSync);
  if (found !== undefined) return found;
  throw new Failure(
    `${places.join(' or ')} must exist; vrypt-release runtimes --from <folder, address or npm package> fetches it`,
  );
}

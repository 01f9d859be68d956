/**
 * Where a runtime build keeps its things. Everything below `build/runtime` can be deleted and made again;
 * only what lies in `runtimes/` is committed.
 */
import { join, resolve } from 'node:path';
import type { Platform } from './platforms.ts';

export const PROJECT = resolve(import.meta.dirname, '../..');
export const RECIPE = import.meta.dirname;
export const RUNTIMES = join(PROJECT, 'runtimes');
export const WORK = join(PROJECT, 'build/runtime');
export const DOWNLOADS = join(WORK, 'downloads');
/** Unpacked sources, one folder a source; nothing is written into them after unpacking. */
export const SOURCES = join(WORK, 'sources');
/** Node's source completed and patched, copied once per platform. */
export const NODE_TREE = join(WORK, 'node-tree');
/** The order of functions in the executables, written by order.ts. */
export const SYMBOLS = join(RECIPE, 'symbols.txt');
export const LOGS = join(WORK, 'logs');

export interface Places {
  readonly root: string;
  readonly sysroot: string;
  /** clang's resource folder: its own headers, our builtins. */
  readonly resource: string;
  /** The compiler under the names `target-cc` and `target-c++`, first in PATH. */
  readonly bin: string;
  readonly node: string;
  /** Ninja's folder inside `node`. */
  readonly out: string;
  readonly stamps: string;
  /** The finished executable, stripped. */
  readonly executable: string;
}

export function placesOf(platform: Platform): Places {
  const root = join(WORK, platform.triple);
  const node = join(root, 'node');
  return {
    root,
    sysroot: join(root, 'sysroot'),
    resource: join(root, 'resource'),
    bin: join(root, 'bin'),
    node,
    out: join(node, 'out/Release'),
    stamps: join(root, 'stamps'),
    executable: join(root, 'result/node'),
  };
}

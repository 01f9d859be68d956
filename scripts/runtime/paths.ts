/**
 * The paths of a runtime build. Everything below `build/runtime` can be deleted and made again; only `runtimes/` is
 * committed.
 */
import path from 'node:path';
import { build, root } from '../support/checkout.ts';
import type { Target } from '../targets/targets.ts';

export const recipe: string = import.meta.dirname;
export const runtimes: string = path.join(root, 'runtimes');
export const work: string = path.join(build, 'runtime');
/** Node's source, completed and patched; copied once per target. */
export const nodeTree: string = path.join(work, 'node-tree');
/** The order of functions in the executables, written by order.ts. */
export const symbols: string = path.join(recipe, 'symbols.txt');
export const logs: string = path.join(work, 'logs');

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

export function placesOf({ triple }: Target): Places {
  const folder = path.join(work, triple);
  const node = path.join(folder, 'node');
  return {
    root: folder,
    sysroot: path.join(folder, 'sysroot'),
    resource: path.join(folder, 'resource'),
    bin: path.join(folder, 'bin'),
    node,
    out: path.join(node, 'out/Release'),
    stamps: path.join(folder, 'stamps'),
    executable: path.join(folder, 'result/node'),
  };
}

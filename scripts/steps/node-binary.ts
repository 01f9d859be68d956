/**
 * `node-binary`: the target's Node executable, unpacked and compared with the SHA-256 in targets.json before anything else
 * is done with it. Owns `build/node-binary/`.
 */
import { chmod, copyFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { $ } from 'zx';
import { root } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { sha256File } from '../support/hash.ts';
import { once } from '../support/once.ts';
import { megabytes } from '../support/progress.ts';
import { runStep } from '../support/step.ts';
import { need, tools } from '../support/system-tools.ts';
import { eachTarget } from '../targets/select.ts';
import { builtPath } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';

export interface NodeBinary {
  readonly file: string;
  readonly sha256: string;
  /** The licenses of everything inside. */
  readonly licenses: string;
}

export function nodeBinary(target: ReadyTarget): Promise<NodeBinary> {
  return once(`node-binary ${target.triple}`, () => make(target));
}

/** Generated with the runtimes: what is inside each of them. */
const runtimeLicenses = path.join(root, 'runtimes/LICENSES.txt');

async function make(target: ReadyTarget): Promise<NodeBinary> {
  const { triple, runtime } = target;
  const file = builtPath('node-binary', target, 'node');
  const licenses = builtPath('node-binary', target, 'LICENSES');
  const { hashes } = await runStep({
    step: 'node-binary',
    target: triple,
    inputs: { runtime: runtime.sha256, licenses: await sha256File(runtimeLicenses) },
    module: import.meta.filename,
    outputs: [file, licenses],
    make: async () => {
      const xz = await need(tools.xz);
      await $`${xz} -dc ${path.join(root, 'runtimes', triple, 'node.xz')} > ${file}`.quiet();
      const got = await sha256File(file);
      if (got !== runtime.sha256) {
        await rm(file, { force: true });
        throw new Failure(
          `runtimes/${triple}/node.xz, unpacked, must have the SHA-256 ${runtime.sha256} of targets.json, got ${got}`,
        );
      }
      await copyFile(runtimeLicenses, licenses);
      await chmod(file, 0o755);
      return { bytes: (await stat(file)).size };
    },
    summary: ({ bytes }) => `${megabytes(bytes)}, SHA-256 as in targets.json`,
  });
  return { file, sha256: hashes[0] ?? '', licenses };
}

if (import.meta.main) await eachTarget('Unpacks and checks the Node executable of each target.', nodeBinary);

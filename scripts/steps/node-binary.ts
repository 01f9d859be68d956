/**
 * `node-binary`: the target's Node executable, unpacked and compared with the SHA-256 in targets.json before anything else
 * is done with it. Owns `build/node-binary/`.
 */
import { chmod, copyFile, open, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { findRuntime } from '../sources/runtimes.ts';
import { cache, isOwnProject, toolchain } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { sha256File } from '../support/hash.ts';
import { once } from '../support/once.ts';
import { megabytes } from '../support/progress.ts';
import { runWell } from '../support/run.ts';
import { runStep } from '../support/step.ts';
import { need, tools } from '../support/system-tools.ts';
import { eachTarget } from '../targets/select.ts';
import { sharedPath } from '../targets/target-facts.ts';
import { type ReadyTarget, readTargets } from '../targets/targets.ts';

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
const runtimeLicenses = path.join(toolchain, 'runtimes/LICENSES.txt');

async function make(target: ReadyTarget): Promise<NodeBinary> {
  const { triple, runtime } = target;
  const file = sharedPath('node-binary', target, 'node');
  const licenses = sharedPath('node-binary', target, 'LICENSES');
  assertRecord(target, readTargets().node, await readRecord(triple));
  const { hashes } = await runStep({
    step: 'node-binary',
    target: triple,
    inputs: { runtime: runtime.sha256, licenses: await sha256File(runtimeLicenses) },
    module: import.meta.filename,
    stamps: path.join(cache, 'stamps'),
    outputs: [file, licenses],
    make: async () => {
      await unpackRuntime(findRuntime(target), file);
      try {
        assertRuntime(target, await sha256File(file));
      } catch (error) {
        await rm(file, { force: true });
        throw error;
      }
      await copyFile(runtimeLicenses, licenses);
      await chmod(file, 0o755);
      return { bytes: (await stat(file)).size };
    },
    summary: ({ bytes }) => `${megabytes(bytes)}, SHA-256 as in targets.json`,
  });
  // A stamp says what a file was, not that it was right.
  assertRuntime(target, hashes[0] ?? '');
  return { file, sha256: hashes[0] ?? '', licenses };
}

/** What BUILD.json says of the runtime beside it. */
export interface RuntimeRecord {
  readonly name?: unknown;
  readonly node?: unknown;
  readonly sha256?: unknown;
}

/** Row, record and the Node that packages must speak of one runtime. */
export function assertRecord(
  { triple, runtime }: ReadyTarget,
  node: string,
  record: RuntimeRecord,
  own: string = process.versions.node,
): void {
  const rules: readonly (readonly [what: string, rule: string, got: unknown, wanted?: string])[] = [
    [`runtimes/${triple}/BUILD.json: name`, triple, record.name],
    [`runtimes/${triple}/BUILD.json: node`, `${node} of targets.json`, record.node, node],
    [`runtimes/${triple}/BUILD.json: sha256`, `${runtime.sha256} of targets.json`, record.sha256, runtime.sha256],
    ...(isOwnProject
      ? [['the Node that packages (npm run puts it on the PATH)', `${node} of targets.json`, own, node] as const]
      : []),
  ];
  for (const [what, rule, got, wanted = rule] of rules) {
    if (got !== wanted) throw new Failure(`${what} must be ${rule}, got ${got ?? 'nothing'}`);
  }
}

async function readRecord(triple: string): Promise<RuntimeRecord> {
  const name = `runtimes/${triple}/BUILD.json`;
  try {
    return JSON.parse(await readFile(path.join(toolchain, name), 'utf8')) as RuntimeRecord;
  } catch (error) {
    throw new Failure(`${name} must be readable JSON, got ${error instanceof Error ? error.message : String(error)}`);
  }
}

function assertRuntime({ triple, runtime }: ReadyTarget, got: string): void {
  if (got === runtime.sha256) return;
  throw new Failure(
    `runtimes/${triple}/node.xz, unpacked, must have the SHA-256 ${runtime.sha256} of targets.json, got ${got}`,
  );
}

export async function unpackRuntime(packed: string, file: string): Promise<void> {
  const xz = await need(tools.xz);
  const output = await open(file, 'w');
  try {
    await runWell([xz, '-dc', packed], { stdout: output.fd });
  } finally {
    await output.close();
  }
}

if (import.meta.main) await eachTarget('Unpacks and checks the Node executable of each target.', nodeBinary);

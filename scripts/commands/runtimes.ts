/**
 * `runtimes`: fills the cache with the Node of each target, from a folder such as this repository's `runtimes/`, from the
 * files of a release, or from npm packages. Wherever it comes from, it must be the one that targets.json pins by its SHA-256.
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ownRuntime, packedRuntime } from '../sources/runtimes.ts';
import { Failure } from '../support/errors.ts';
import { sha256File } from '../support/hash.ts';
import { say } from '../support/progress.ts';
import { run, runWell } from '../support/run.ts';
import { need, tools } from '../support/system-tools.ts';
import { withTemporaryFolder } from '../support/temporary-folder.ts';
import type { ReadyTarget } from '../targets/targets.ts';

export async function fillRuntimes(targets: readonly ReadyTarget[], from: string): Promise<void> {
  for (const target of targets) {
    if (existsSync(ownRuntime(target)) || existsSync(packedRuntime(target))) {
      say(`${target.triple}: is here`);
      continue;
    }
    await withTemporaryFolder(async (folder) => {
      const packed = path.join(folder, 'node.xz');
      await fetchRuntime(target, from, packed);
      await mustBePinned(target, packed);
      const place = packedRuntime(target);
      await mkdir(path.dirname(place), { recursive: true });
      await copyFile(packed, `${place}.new`);
      await rename(`${place}.new`, place);
    });
    say(`${target.triple}: from ${from}`);
  }
}

/** An address has `{target}`, or is a folder of files named node-<triple>.xz, as releases are. */
async function fetchRuntime({ triple }: ReadyTarget, from: string, packed: string): Promise<void> {
  if (/^https?:\/\//.test(from)) {
    const address = from.includes('{target}') ? from.replaceAll('{target}', triple) : `${from}/node-${triple}.xz`;
    await need(tools.curl);
    await runWell(['curl', '-fsSL', '--retry', '2', '-o', packed, address]);
    return;
  }
  const candidates = [path.join(from, triple, 'node.xz'), path.join(from, `node-${triple}.xz`)];
  const found = candidates.find(existsSync);
  if (found !== undefined) return await copyFile(found, packed);
  if (existsSync(from))
    throw new Failure(`${from} must have ${candidates.map((file) => path.relative(from, file)).join(' or ')}`);
  if (/^[./~]/.test(from))
    throw new Failure(`--from must be a folder, an address or an npm package; ${from} is not there`);
  await unpackFromNpm(from.replaceAll('{target}', triple), packed);
}

/** `name@version`; `{target}` in it stands for the triple. */
async function unpackFromNpm(name: string, packed: string): Promise<void> {
  const folder = path.dirname(packed);
  const { code, stderr } = await run(['npm', 'pack', '--silent', name], { cwd: folder });
  const tarball = (await readdir(folder)).find((file) => file.endsWith('.tgz'));
  if (code !== 0 || tarball === undefined)
    throw new Failure(`${name} must be a folder, an address or an npm package, got ${stderr.trim().split('\n')[0]}`);
  await runWell(['tar', '-xzf', tarball, '--strip-components=1', 'package/node.xz'], { cwd: folder });
}

async function mustBePinned({ triple, runtime }: ReadyTarget, packed: string): Promise<void> {
  const xz = await need(tools.xz);
  const unpacked = packed.replace(/\.xz$/, '');
  await runWell([xz, '--decompress', '--keep', packed]);
  const got = await sha256File(unpacked);
  await rm(unpacked);
  if (got !== runtime.sha256)
    throw new Failure(`the Node of ${triple} must have the SHA-256 ${runtime.sha256}, got ${got}: it is not used`);
}

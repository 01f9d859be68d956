/**
 * The oldest supported glibc, from Debian's own package of that version (pinned in sources.json): a glibc executable is
 * run in a root folder that contains this and nothing else.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { fetchSource, findSource, type Source } from '../sources/sources.ts';
import { Failure } from '../support/errors.ts';
import { runWell } from '../support/run.ts';
import { need, tools } from '../support/system-tools.ts';
import type { Target } from '../targets/targets.ts';

/** The package of the target's architecture; its version must be the one that targets.json promises. */
export function oldestLibc({ architecture, oldest }: Target): Source {
  const source = findSource(`libc6-${architecture.debian}`);
  if (source.version.split('-')[0] !== oldest.glibc) {
    throw new Failure(
      `${source.name} in sources.json must be glibc ${oldest.glibc} of targets.json, got ${source.version}`,
    );
  }
  return source;
}

/** Puts the loader and the libraries of libc6 into `folder`. */
export async function putOldestLibc(target: Target, folder: string): Promise<void> {
  const source = oldestLibc(target);
  await need(tools.curl);
  const unpacked = await mkdtemp(path.join(folder, 'libc6-'));
  await runWell(['dpkg-deb', '--extract', await fetchSource(source), unpacked]);
  for (const libraries of ['lib', 'lib64']) {
    const from = path.join(unpacked, libraries);
    await cp(from, path.join(folder, libraries), { recursive: true, verbatimSymlinks: true }).catch(
      (error: unknown) => {
        if (libraries === 'lib') throw error;
      },
    );
  }
  await rm(unpacked, { recursive: true });
}

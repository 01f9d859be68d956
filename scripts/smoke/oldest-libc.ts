/**
 * The oldest glibc that we promise to run on, from Debian's own package of that version (pinned by SHA-256 with the
 * sources of the runtimes): a glibc product runs in a root folder that holds this and nothing else.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { $ } from 'zx';
import { debianArchitecture } from '../derived.ts';
import { need, tools } from '../need.ts';
import { Failure } from '../problem.ts';
import { fetchSource, findSource, type Source } from '../runtime/sources.ts';
import type { Target } from '../targets.ts';

/** The package of the target's architecture; what it holds must be what targets.json promises. */
export function oldestLibc(target: Target): Source {
  const source = findSource(`libc6-${debianArchitecture(target)}`);
  if (source.version.split('-')[0] !== target.oldest.glibc) {
    throw new Failure(
      `targets.json promises glibc ${target.oldest.glibc}, the libc6 to try it with is ${source.version}`,
    );
  }
  return source;
}

/** Puts the loader and the libraries of libc6 into `folder`. */
export async function putOldestLibc(target: Target, folder: string): Promise<void> {
  const source = oldestLibc(target);
  await need(tools.curl);
  const unpacked = await mkdtemp(path.join(folder, 'libc6-'));
  await $`dpkg-deb --extract ${await fetchSource(source)} ${unpacked}`.quiet();
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

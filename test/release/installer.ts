/** An installer with a release of its own: archives whose program is a shell script, in a folder that a server offers. */
import { createHash } from 'node:crypto';
import { checksumLines } from '../../scripts/formats/checksums.ts';
import { type Entry, tarGz } from '../../scripts/formats/tar.ts';
import { installer } from '../../scripts/steps/installer.ts';
import { sha256 } from '../../scripts/support/hash.ts';
import { readTargets, type Target } from '../../scripts/targets/targets.ts';
import type { ReleaseServer } from './release-server.ts';

export const version = '9.8.7';
export const { targets } = readTargets();

export function archiveOf({ triple }: Pick<Target, 'triple'>, its = version): string {
  return `demo-v${its}-${triple}.tar.gz`;
}

export function script(url = '', keys: readonly string[] = [], saysVersion = true): string {
  return installer({ name: 'demo', version, url, saysVersion, keys, targets });
}

/** Puts a release onto the server; each program prints its own triple. */
export async function publish({ files }: ReleaseServer, its = version): Promise<void> {
  for (const target of targets) {
    files.set(archiveOf(target, its), await archive(target, `#!/bin/sh\necho "demo ${its} ${target.triple}"\n`, its));
  }
  sign(files);
}

export async function archive(
  { triple }: Pick<Target, 'triple'>,
  program: string | Uint8Array,
  its = version,
): Promise<Buffer> {
  const folder = `demo-v${its}-${triple}`;
  const data = Buffer.from(program);
  const text = (name: string) => ({ name: `${folder}/${name}`, mode: 0o644 as const, data: Buffer.from(`${name}\n`) });
  const texts: readonly Entry[] = ['LICENSE', 'README.md', 'THIRD-PARTY-LICENSES.txt', 'share/man/man1/demo.1'].map(
    text,
  );
  const random = { ...text('share/bash-completion/completions/demo'), data: noise(sha256(data)) };
  return tarGz(
    [{ name: `${folder}/` as const, mode: 0o755 }, ...texts, random, { name: `${folder}/demo`, mode: 0o755, data }],
    0,
  );
}

/** Lists what is there now. */
export function sign(files: Map<string, Uint8Array>): void {
  files.delete('checksums-sha256.txt');
  const lines = [...files].map(([name, bytes]) => ({ name, sha256: sha256(bytes) }));
  files.set('checksums-sha256.txt', Buffer.from(checksumLines(lines)));
}

/** Does not compress, so that a part of an archive is of some size. */
function noise(seed: string): Buffer {
  return Buffer.concat(
    Array.from({ length: 2000 }, (_, index) => createHash('sha256').update(`${seed}${index}`).digest()),
  );
}

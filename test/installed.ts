/**
 * Programs of Debian's packages that some tests start. `npm test` passes without them, and says what it did not test; `.ci/run`
 * installs what `test/debian-packages` lists.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const PACKAGES = new Set(
  readFileSync(path.join(import.meta.dirname, 'debian-packages'), 'utf8')
    .trim()
    .split('\n'),
);

/** Whether all programs are on the PATH. If not, a line on stderr says what was not tested, and what to install. */
export function areInstalled(what: string, programs: Readonly<Record<string, string>>): boolean {
  const missing = Object.entries(programs).filter(([program]) => !isOnPath(program));
  if (missing.length === 0) return true;
  const packages = [...new Set(missing.map(([, debian]) => debian))];
  const unlisted = packages.filter((name) => !PACKAGES.has(name));
  if (unlisted.length > 0) throw new Error(`test/debian-packages must list ${unlisted.join(', ')}`);
  console.error(`NOT TESTED: ${what}. Install: apt-get install ${packages.join(' ')}`);
  return false;
}

export function isOnPath(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'];
  return folders.some((folder) => existsSync(path.join(folder, program)));
}

/**
 * `--check-repeatable`: makes every file again from another copy of the checkout, in another folder, as another user (if this one is
 * root), with umask 077, one CPU, another time zone and language; every byte must be equal.
 */
import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { ManifestFile } from '../steps/manifest.ts';
import type { Outcome } from '../steps/smoke.ts';
import { readTree, root } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { sha256FileSync } from '../support/hash.ts';
import { counted, during, say, stepLine } from '../support/progress.ts';
import { run, runWell } from '../support/run.ts';
import { artifactPath } from '../targets/artifacts.ts';

type Made = Pick<ManifestFile, 'file' | 'sha256'>;

/** Nobody, of any distribution. */
const otherUser = 65534;

/** Returns the outcomes, with a fault for each target of which a file came out differently; throws if one of all targets did. */
export async function checkRepeatable(outcomes: readonly Outcome[], whole: readonly Made[]): Promise<Outcome[]> {
  const good = outcomes.filter(({ fault }) => fault === undefined);
  if (good.length === 0) return [...outcomes];
  // Longer than any path that a build uses, so that one of its length is noticed too.
  const folder = mkdtempSync('/var/tmp/vrypt made again ');
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const copy = path.join(folder, 'another checkout');
    const how = await during('again', async () => {
      await copyCheckout(copy);
      return await makeAgain(folder, copy, good);
    });
    const again = (file: string): string => path.join(copy, 'build/archive', file);
    const faults = differences(whole, again);
    if (faults.length > 0) throw new Failure(faults.join('\n'));
    const checked = outcomes.map((outcome) => {
      const [fault] = outcome.fault === undefined ? differences(outcome.artifacts, again) : [outcome.fault];
      return fault === undefined ? outcome : { ...outcome, fault };
    });
    const count = whole.length + good.reduce((sum, { artifacts }) => sum + artifacts.length, 0);
    if (checked.every(({ fault }) => fault === undefined)) {
      say(stepLine('again', undefined, `${counted(count, 'file')}, every byte equal: ${how}`));
    }
    return checked;
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/** One line for each file that is not the same there: where it differs first. */
export function differences(files: readonly Made[], again: (file: string) => string): string[] {
  return files.flatMap(({ file, sha256 }) => {
    const other = again(file);
    if (!existsSync(other)) return [`${file} must be made again, it was not`];
    const got = sha256FileSync(other);
    if (got === sha256) return [];
    const [one, two] = [readFileSync(artifactPath({ file })), readFileSync(other)];
    const at = one.findIndex((byte, index) => byte !== two[index]);
    const where = at < 0 ? `${two.length} bytes instead of ${one.length}` : `another byte at ${at}`;
    return [`${file} must be the same when it is made again, SHA-256 ${sha256}, got ${got}: ${where}`];
  });
}

/** With what is changed or untracked, and its own packages. */
export async function copyCheckout(copy: string): Promise<void> {
  if (existsSync(path.join(root, '.git'))) {
    await runWell(['git', 'clone', '--quiet', '--no-hardlinks', root, copy]);
    for (const file of readTree().changes) {
      const [from, to] = [path.join(root, file), path.join(copy, file)];
      rmSync(to, { recursive: true, force: true });
      if (lstatSync(from, { throwIfNoEntry: false }) !== undefined) cpSync(from, to, { recursive: true });
    }
  } else {
    mkdirSync(copy);
    const top = ['.', 'build', 'dist', 'node_modules'].map((name) => path.join(root, name));
    cpSync(root, copy, { recursive: true, verbatimSymlinks: true, filter: (file) => !top.slice(1).includes(file) });
  }
  await runWell(['cp', '--archive', path.join(root, 'node_modules'), copy]);
}

async function makeAgain(folder: string, copy: string, outcomes: readonly Outcome[]): Promise<string> {
  const home = path.join(folder, 'home');
  mkdirSync(home);
  const isRoot = process.getuid?.() === 0;
  await runWell(['chmod', '--recursive', 'go=', folder]);
  if (isRoot) await runWell(['chown', '--recursive', `${otherUser}:${otherUser}`, folder]);
  const user = isRoot
    ? ['setpriv', '--reuid', String(otherUser), '--regid', String(otherUser), '--clear-groups', '--inh-caps=-all']
    : [];
  const node = path.join(copy, path.relative(root, process.execPath));
  const targets = outcomes.flatMap(({ target }) => ['--target', target.triple]);
  const make = ['sh', '-c', 'umask 077 && exec "$@"', 'sh', node, 'scripts/make.ts', ...targets];
  const env = { PATH: process.env['PATH'], HOME: home, TZ: 'Pacific/Chatham', LC_ALL: 'tr_TR.UTF-8', CI: 'true' };
  const { code, stderr } = await run([...user, 'taskset', '--cpu-list', firstCpu(), ...make] as [string, ...string[]], {
    cwd: copy,
    env,
  });
  if (code !== 0)
    throw new Failure(`it must be possible to make all of it again, got exit code ${code}: ${stderr.trim()}`);
  return `another folder, ${isRoot ? `user ${otherUser}` : 'the same user'}, umask 077, one CPU, another time zone`;
}

function firstCpu(): string {
  return /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
}

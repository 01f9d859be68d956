/**
 * Tools of the operating system that a step calls. A missing one is installed when that needs no question (root and
 * apt-get); otherwise the error is the one command to type.
 */
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from './errors.ts';
import { say } from './progress.ts';
import { run } from './run.ts';

export interface Tool {
  /** A command name to look for on the PATH, or an absolute path that must exist. */
  readonly look: string;
  readonly packages: readonly string[];
  /** What it is needed for, shown in the message. */
  readonly to: string;
}

export const tools = {
  curl: { look: 'curl', packages: ['curl', 'ca-certificates'], to: 'send requests to the server' },
  tar: { look: 'tar', packages: ['tar'], to: 'unpack archives' },
  dpkg: { look: 'dpkg-deb', packages: ['dpkg'], to: 'unpack the oldest glibc' },
  flock: { look: 'flock', packages: ['util-linux'], to: 'keep a second run out of build/' },
  minisign: { look: 'minisign', packages: ['minisign'], to: 'sign checksums' },
  setpriv: { look: 'setpriv', packages: ['util-linux'], to: 'let what it starts end with it' },
  xz: { look: 'xz', packages: ['xz-utils'], to: 'unpack runtimes' },
} as const satisfies Record<string, Tool>;

export async function has(tool: Tool): Promise<boolean> {
  return (await find(tool.look)) !== undefined;
}

/** True when `need` would succeed, or could at least try. */
export async function canHave(tool: Tool): Promise<boolean> {
  return (await has(tool)) || (await canInstall());
}

/** The path of the tool. */
export async function need(tool: Tool): Promise<string> {
  return (await needAll([tool]))[0] ?? '';
}

/** All at once, so that one command installs everything. */
export function needAll(wanted: readonly Tool[]): Promise<string[]> {
  // One at a time: apt-get holds a lock, and two steps often need the same package.
  const result = queue.then(() => findOrInstall(wanted));
  queue = result.catch(() => undefined);
  return result;
}

let queue: Promise<unknown> = Promise.resolve();
let isListFresh = false;

async function findOrInstall(wanted: readonly Tool[]): Promise<string[]> {
  const missing = await missingOf(wanted);
  if (missing.length > 0) {
    const packages = [...new Set(missing.flatMap((tool) => tool.packages))].sort();
    const what = [...new Set(missing.map(({ look, to }) => `${look} (to ${to})`))].join(', ');
    const command = `apt-get install -y ${packages.join(' ')}`;
    if (!(await canInstall())) throw new Failure(`missing: ${what}; type: sudo ${command}`);
    say(`missing: ${what}; installing ${packages.join(' ')} with apt-get`);
    const output = await install(packages);
    const still = (await missingOf(wanted)).map((tool) => tool.look);
    if (still.length > 0) throw new Failure(`"${command}" did not install ${still.join(', ')}; its output:\n${output}`);
  }
  return Promise.all(wanted.map(async ({ look }) => (await find(look)) ?? look));
}

async function missingOf(wanted: readonly Tool[]): Promise<Tool[]> {
  const found = await Promise.all(wanted.map(has));
  return wanted.filter((_, index) => !found[index]);
}

async function install(packages: readonly string[]): Promise<string> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Another apt-get may be running: wait for its lock.
  const apt = ['apt-get', '-oDPkg::Lock::Timeout=300'] as const;
  if (!isListFresh) isListFresh = (await run([...apt, 'update'], { env })).code === 0;
  return (await run([...apt, 'install', '-y', '--no-install-recommends', ...packages], { env })).stderr.trim();
}

async function canInstall(): Promise<boolean> {
  return process.getuid?.() === 0 && (await find('apt-get')) !== undefined;
}

async function find(look: string): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean);
  const candidates = path.isAbsolute(look) ? [look] : folders.map((folder) => path.join(folder, look));
  for (const candidate of candidates) {
    const mode = path.isAbsolute(look) ? constants.R_OK : constants.X_OK;
    const isThere = await access(candidate, mode).then(
      () => true,
      () => false,
    );
    if (isThere) return candidate;
  }
  return undefined;
}

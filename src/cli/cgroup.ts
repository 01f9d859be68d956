/**
 * The limits that control groups set on this process: CPU, memory and threads, of version 1 and 2, each the lowest of the group
 * and its ancestors as far as they are visible. Reads files through a function, so tests give it tables of their contents.
 */

/** A file's content, or null if it cannot be read. */
export type ReadFile = (path: string) => string | null;

export interface CgroupLimits {
  /** CPUs, such as 1.5; Infinity where unlimited, as are all. */
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
}

type Controller = 'cpu' | 'memory' | 'pids';

/** Version 1 writes "unlimited" as the largest number of whole pages: 2^63 less one page, of up to 64 KiB. */
const UNLIMITED_FROM = 2 ** 62;

export function cgroupLimits(read: ReadFile): CgroupLimits {
  const groups = readGroups(read);
  return {
    cpus: lowest(groups('cpu'), ({ folder, version }) =>
      version === 2 ? quotaOfVersion2(read(`${folder}/cpu.max`)) : quotaOfVersion1(folder, read),
    ),
    memory: lowest(groups('memory'), ({ folder, version }) =>
      version === 2
        ? Math.min(amount(read(`${folder}/memory.max`)), amount(read(`${folder}/memory.high`)))
        : amount(read(`${folder}/memory.limit_in_bytes`)),
    ),
  };
}

/** The most threads and processes, together. */
export function cgroupThreads(read: ReadFile): number {
  return lowest(readGroups(read)('pids'), ({ folder }) => amount(read(`${folder}/pids.max`)));
}

interface Group {
  /** Where its files are. */
  readonly folder: string;
  readonly version: 1 | 2;
}

/** Gives the groups that limit this process in a controller, the innermost first. */
function readGroups(read: ReadFile): (controller: Controller) => Group[] {
  const memberships = (read('/proc/self/cgroup') ?? '').split('\n').map(parseMembership);
  const mounts = linesWith(read('/proc/self/mountinfo') ?? '', ' - cgroup').flatMap(parseMount);
  return (controller) =>
    memberships.flatMap(({ controllers, path }) => {
      // Version 2 has one hierarchy for all controllers, and names none. Both versions may be mounted at once.
      const version = controllers === '' ? 2 : 1;
      if (version === 1 && !controllers.split(',').includes(controller)) return [];
      const fitting = mounts.filter(
        (mount) => mount.version === version && (version === 2 || mount.controllers.includes(controller)),
      );
      // A container sees a part of the hierarchy; its own group may be above that part, or named from the outside.
      const mount = fitting.find(({ root }) => isWithin(path, root)) ?? fitting[0];
      return mount === undefined ? [] : foldersUpwards(mount, path).map((folder) => ({ folder, version }) as const);
    });
}

/** A line of /proc/self/cgroup (cgroups(7)): `4:memory:/a/b`, or `0::/a/b` of version 2. */
function parseMembership(line: string): { controllers: string; path: string } {
  const [, controllers = '-', ...path] = line.split(':');
  return { controllers, path: path.join(':') };
}

/** A machine with many containers has thousands of mounts: all other lines are passed over. */
function linesWith(text: string, part: string): string[] {
  const lines: string[] = [];
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) {
    const end = text.indexOf('\n', at);
    lines.push(text.slice(text.lastIndexOf('\n', at) + 1, end === -1 ? text.length : end));
  }
  return lines;
}

interface Mount {
  readonly version: 1 | 2;
  readonly root: string;
  readonly point: string;
  readonly controllers: readonly string[];
}

/** A line of /proc/self/mountinfo (proc_pid_mountinfo(5)): `34 30 0:31 <root> <mount point> rw shared:1 - <type> <source> <options>`. */
function parseMount(line: string): Mount[] {
  const [before = '', after] = line.split(' - ');
  const [type, , options = ''] = (after ?? '').split(' ');
  if (type !== 'cgroup' && type !== 'cgroup2') return [];
  const [, , , root = '/', point = ''] = before.split(' ').map(unescapeOctal);
  return [{ version: type === 'cgroup2' ? 2 : 1, root, point, controllers: options.split(',') }];
}

/** Spaces and the like are written as `\040`. */
function unescapeOctal(text: string): string {
  return text.includes('\\')
    ? text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
    : text;
}

function isWithin(path: string, root: string): boolean {
  return root === '/' || path === root || path.startsWith(`${root}/`);
}

/** The folder of the group, then those of its ancestors up to the mount point. */
function foldersUpwards({ root, point }: Mount, path: string): string[] {
  const below = isWithin(path, root) ? path.slice(root === '/' ? 0 : root.length) : '';
  const names = below.split('/').filter((name) => name !== '' && name !== '..');
  return Array.from({ length: names.length + 1 }, (_, index) =>
    [point, ...names.slice(0, names.length - index)].join('/'),
  );
}

function lowest(groups: readonly Group[], limitOf: (group: Group) => number): number {
  return Math.min(Number.POSITIVE_INFINITY, ...groups.map(limitOf));
}

/** `max` and a file that is missing are no limit. */
function amount(text: string | null): number {
  const value = Number(text?.trim() || 'max');
  return value >= 0 && value < UNLIMITED_FROM ? value : Number.POSITIVE_INFINITY;
}

/** `<quota> <period>` in microseconds, or `max <period>`. */
function quotaOfVersion2(text: string | null): number {
  const [quota = 'max', period = '100000'] = (text ?? '').trim().split(' ');
  return cpusOf(amount(quota), amount(period));
}

/** The quota is -1 where unlimited. */
function quotaOfVersion1(folder: string, read: ReadFile): number {
  return cpusOf(amount(read(`${folder}/cpu.cfs_quota_us`)), amount(read(`${folder}/cpu.cfs_period_us`)));
}

function cpusOf(quota: number, period: number): number {
  return quota > 0 && period > 0 && Number.isFinite(period) ? quota / period : Number.POSITIVE_INFINITY;
}

/** How many workers and connections the machine and its limits allow. */
import type { CgroupLimits } from './cgroup.ts';
import type { ProcessLimits } from './process-limits.ts';
import type { Isolation } from './settings.ts';

export interface Wishes {
  readonly workers: number | 'auto';
  readonly isolation: Isolation;
  readonly maxConnections: number;
  /** What the user asked for this number of connections with, to be told when fewer fit; null: it is the default. */
  readonly maxConnectionsLabel: string | null;
}

export interface Machine extends ProcessLimits {
  /** Cores that this process may run on. */
  readonly cores: number;
  /** Needed only for `auto`. */
  readonly cgroup: CgroupLimits;
}

export interface Capacity {
  readonly workers: number;
  readonly maxConnections: number;
  /** What to tell the user about wishes that do not fit. */
  readonly notes: readonly string[];
}

/** The limits do not even allow one worker and one connection; the message names the limit. */
export class TooLittle extends Error {
  override readonly name = 'TooLittle';
}

const MEBIBYTE = 1024 ** 2;

/** Memory of a server with one worker under load peaks at 16 MiB, not counting the executable's pages; the rest is for connections. */
const MEMORY_OF_FIRST = 32 * MEBIBYTE;
/** Each further worker adds 10 MiB at its start and up to 14 MiB under load. */
const MEMORY_OF_FURTHER = 16 * MEBIBYTE;
/** A worker that is a process shares no heap of Node's own. */
const MEMORY_OF_PROCESS = 32 * MEBIBYTE;

/** A listener, and the descriptor that libuv keeps to refuse connections with when it has no other. */
const FILES_OF_FIRST = 2;
/** The same, and an event loop: epoll, io_uring, an eventfd, both ends of a pipe. */
const FILES_OF_FURTHER = 7;
/** The manager's end of a worker process' channel, and one more while it starts. */
const FILES_OF_PROCESS = 2;
/** For connections while they are refused, name servers, StatsD, and closing the accept queue without losing anybody. */
const SPARE_FILES = 40;
/** With fewer descriptors left than this, workers have to go. */
const FEWEST_FILES = 16;
/** Fewer connections than this are worth a note. */
const FEW_CONNECTIONS = 1000;

/** V8 reserves this for each further heap; it ends the process if it cannot. */
const ADDRESSES_OF_FURTHER = { x64: 560, arm64: 192 } as Readonly<Partial<Record<string, number>>>;
const ADDRESSES_OF_FURTHER_ELSEWHERE = 64;

/** Throws TooLittle. */
export function planCapacity(wishes: Wishes, machine: Machine): Capacity {
  const notes: string[] = [];
  const { isolation } = wishes;
  const wanted = wishes.workers === 'auto' ? automaticWorkers(isolation, machine) : wishes.workers;
  const byFiles = workersByFiles(isolation, machine);
  const byAddresses = workersByAddresses(isolation, machine);
  const workers = Math.min(wanted, byFiles, byAddresses);
  if (workers < wanted) {
    const limit = byFiles <= byAddresses ? openFilesLimit(machine) : addressSpaceLimit(machine);
    notes.push(`${limit} allows ${count(workers, 'worker')} instead of ${wanted}`);
  }
  // The limit is each process' own.
  const left = filesLeft(machine, isolation === 'process' ? 1 : workers);
  if (left < 1) {
    const least = machine.openFiles - left + 1;
    throw new TooLittle(`the limit on open files must be at least ${least} (ulimit -n), got ${machine.openFiles}`);
  }
  const fitting = (left - Math.min(SPARE_FILES, Math.floor(left / 4))) * (isolation === 'process' ? workers : 1);
  const maxConnections = Math.min(wishes.maxConnections, fitting);
  const label = wishes.maxConnectionsLabel;
  if (maxConnections < wishes.maxConnections && (label !== null || fitting < FEW_CONNECTIONS)) {
    const asked = label === null ? ' at once' : ` instead of ${label} ${wishes.maxConnections}`;
    notes.push(`${openFilesLimit(machine)} allows ${count(fitting, 'connection')}${asked}`);
  }
  return { workers, maxConnections, notes };
}

function automaticWorkers(isolation: Isolation, { cores, cgroup }: Machine): number {
  const ofFurther = isolation === 'process' ? MEMORY_OF_PROCESS : MEMORY_OF_FURTHER;
  const byMemory = 1 + Math.floor((cgroup.memory - MEMORY_OF_FIRST) / ofFurther);
  return Math.max(1, Math.min(cores, Math.floor(cgroup.cpus), byMemory));
}

function filesLeft({ openFiles, openNow }: Machine, workers: number): number {
  return openFiles - openNow - FILES_OF_FIRST - FILES_OF_FURTHER * (workers - 1);
}

function workersByFiles(isolation: Isolation, machine: Machine): number {
  const ofFurther = isolation === 'process' ? FILES_OF_PROCESS : FILES_OF_FURTHER;
  return Math.max(1, 1 + Math.floor((filesLeft(machine, 1) - FEWEST_FILES) / ofFurther));
}

function workersByAddresses(isolation: Isolation, { addressSpace, addressSpaceNow }: Machine): number {
  if (isolation === 'process') return Number.POSITIVE_INFINITY;
  const ofFurther = (ADDRESSES_OF_FURTHER[process.arch] ?? ADDRESSES_OF_FURTHER_ELSEWHERE) * MEBIBYTE;
  return Math.max(1, 1 + Math.floor((addressSpace - addressSpaceNow) / ofFurther));
}

function openFilesLimit({ openFiles }: Machine): string {
  return `the limit on open files (ulimit -n ${openFiles})`;
}

function addressSpaceLimit({ addressSpace }: Machine): string {
  return `the limit on address space (ulimit -v ${addressSpace / 1024})`;
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}

/** What the kernel lets this process have, and what it has now. A number is Infinity if it is unlimited or unknown. */
import { readdirSync, statSync } from 'node:fs';
import { numberAfter, readFile } from './kernel-files.ts';

export interface ProcessLimits {
  /** Descriptors (RLIMIT_NOFILE). Node has raised the soft limit to the hard one. */
  readonly openFiles: number;
  /** Descriptors that are open. */
  readonly openNow: number;
  /** Bytes of address space (RLIMIT_AS). */
  readonly addressSpace: number;
  /** Bytes of address space that are taken. */
  readonly addressSpaceNow: number;
}

/** Node's own descriptors of one event loop, where they cannot be counted: most are its event loop's and its platform's. */
const OPEN_AT_START = 21;
/** Below this limit every descriptor counts; above, listing them costs 0.2 MiB of the executable. */
const FEW_FILES = 4096;

export function readProcessLimits(): ProcessLimits {
  const limits = readFile('/proc/self/limits');
  if (limits === null) return limitsWithoutProc();
  const openFiles = limitOf(limits, 'Max open files');
  const addressSpace = limitOf(limits, 'Max address space');
  return {
    openFiles,
    openNow: countOpenFiles(openFiles),
    addressSpace,
    addressSpaceNow: Number.isFinite(addressSpace) ? addressSpaceNow() : 0,
  };
}

/** The most threads and processes of this user (RLIMIT_NPROC). */
export function userThreads(): number {
  return limitOf(readFile('/proc/self/limits') ?? '', 'Max processes');
}

/** The soft one; "unlimited" is no number. */
function limitOf(limits: string, name: string): number {
  const soft = numberAfter(limits, name);
  return Number.isNaN(soft) ? Number.POSITIVE_INFINITY : soft;
}

/** The limit is one on the number of a descriptor: what was inherited above it takes no place. */
function countOpenFiles(limit: number): number {
  try {
    // The kernel counts them since Linux 6.2. Where few are left, those above the limit must not count.
    const all = limit < FEW_FILES ? 0 : statSync('/proc/self/fd').size;
    if (all > 0) return all;
    // One of them reads the folder.
    return readdirSync('/proc/self/fd').filter((number) => Number(number) < limit).length - 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EMFILE') throw error;
    return OPEN_AT_START;
  }
}

function addressSpaceNow(): number {
  const kibibytes = numberAfter(readFile('/proc/self/status') ?? '', 'VmSize:');
  return Number.isNaN(kibibytes) ? 0 : kibibytes * 1024;
}

/** Node's diagnostic report asks the kernel; it takes milliseconds, so only where nothing else answers. */
export function limitsWithoutProc(): ProcessLimits {
  // Otherwise it looks up the names of all peers.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as { userLimits?: Record<string, { soft: number | string }> };
  const soft = (name: string) => Number(userLimits?.[name]?.soft);
  return {
    openFiles: soft('open_files') || Number.POSITIVE_INFINITY,
    openNow: OPEN_AT_START,
    addressSpace: Number.POSITIVE_INFINITY,
    addressSpaceNow: 0,
  };
}

/** What the kernel lets this process have, and what it has now. A number is Infinity if it is unlimited or unknown. */
import { readdirSync, readFileSync } from 'node:fs';

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

/** A file's content, or null if it cannot be read. Running out of descriptors throws, since it is the answer. */
export function readFile(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EMFILE') throw error;
    return null;
  }
}

function limitOf(limits: string, name: string): number {
  const soft = new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(limits)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

/** The limit is one on the number of a descriptor: what was inherited above it takes no place. */
function countOpenFiles(limit: number): number {
  try {
    // One of them reads the folder.
    return readdirSync('/proc/self/fd').filter((number) => Number(number) < limit).length - 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EMFILE') throw error;
    return OPEN_AT_START;
  }
}

function addressSpaceNow(): number {
  const pages = /^VmSize:\s+(\d+) kB/m.exec(readFile('/proc/self/status') ?? '')?.[1];
  return Number(pages ?? 0) * 1024;
}

/** Node's diagnostic report asks the kernel; it takes milliseconds, so only where nothing else answers. */
function limitsWithoutProc(): ProcessLimits {
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

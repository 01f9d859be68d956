/** Which native addons a target can load. */
import { highestGlibc, readElf } from '../formats/elf.ts';
import { ET } from '../formats/hardening.ts';
import { Failure } from '../support/errors.ts';
import { isStatic } from '../targets/target-facts.ts';
import type { Target } from '../targets/targets.ts';

export interface Addon {
  /** As the messages name it. */
  readonly file: string;
  readonly data: Buffer;
}

export const notForLinux = 'it is not for Linux';

/** undefined if this target loads it; otherwise why not. */
export function addonFault(target: Target, { data }: Addon): string | undefined {
  if (isStatic(target)) return 'a static executable loads no native addons';
  try {
    const { machine, class: bits, needed } = readElf(data);
    const wanted = target.architecture.elf;
    if (machine !== wanted.machine || bits !== wanted.class) return `it is for ${machine}, ${bits} bits`;
    if (needed.some((library) => library.includes('musl'))) return 'it is for musl';
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return notForLinux;
    throw error;
  }
}

/** A program of its own, such as esbuild's: no system starts one that lies inside an executable. A shared library is none. */
export function isProgram(data: Buffer): boolean {
  if (data.length < 64 || data.readUInt32BE(0) !== 0x7f454c46) return false;
  try {
    const { type, interpreter } = readElf(data);
    return type === ET.EXEC || interpreter !== null;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** The version of glibc that it requires; undefined for none. */
export function glibcOf({ data }: Addon): string | undefined {
  return highestGlibc(readElf(data).versionsRequired) ?? undefined;
}

/** Shared libraries that the system must have. */
export function librariesOf({ data }: Addon): readonly string[] {
  return readElf(data).needed;
}

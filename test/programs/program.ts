/** What a program is for `npm run programs`. */
import type { Target } from '../../scripts/targets/targets.ts';

/** What a program needs while it is tried. */
export interface Service {
  /** Where it is, for the program's environment. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface TriedProgram {
  readonly name: string;
  /** In the table of the README. */
  readonly title: string;
  /** `packed`: this package, as it is here. */
  readonly dependencies: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  /** Fields of package.json besides name and version. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly description: Readonly<Record<string, unknown>>;
  /** What had to be set beyond the entry and how it is tried; empty: nothing. */
  readonly set?: string;
  /** Run in the folder after the packages are installed. */
  readonly prepare?: readonly (readonly string[])[];
  /** Which targets can carry it; default: all. */
  readonly fits?: (target: Target) => boolean;
  /** It starts its executable again, which an emulator cannot without binfmt_misc: such targets are not tried. */
  readonly startsItself?: true;
  /** The reason that the others must give. */
  readonly refusal?: RegExp;
  readonly service?: () => Promise<Service>;
  /** Only these targets can carry it. */
  readonly only?: readonly string[];
}

export const esm = { type: 'module' };
export const server = (ask: readonly object[]): object => ({ env: { PORT: '{port}' }, ask });
export const isGlibc = ({ libc }: Target): boolean => libc === 'glibc';

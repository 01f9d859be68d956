/** What a command line comes to, before its values are looked at. */
import type { TypedOptions } from './settings.ts';

export interface CommandLine {
  readonly options: TypedOptions;
  readonly port: string | undefined;
}

/** What --help or --version print instead of a server. */
export class Information extends Error {}

/** What a system package says of the program inside, and what it holds: facts, from which deb, rpm, apk and image are made. */
import type { About } from '../program/about.ts';
import type { CommandLine } from './command-line.ts';

export interface PackageFacts {
  readonly name: string;
  readonly version: string;
  /** Seconds since 1970, of the commit. */
  readonly time: number;
  readonly about: About;
  /** undefined: there is no manual page and there are no completions. */
  readonly commandLine: CommandLine | undefined;
  readonly executable: Uint8Array;
  readonly texts: Texts;
}

export interface Texts {
  readonly license: string;
  readonly thirdParty: string;
  readonly readme: string;
  readonly changelog: string;
}
